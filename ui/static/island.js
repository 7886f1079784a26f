// A part of the page that is drawn by itself. Without it every change anywhere draws the whole page anew, all its buttons and the handlers
// of their events: NiceGUI's slots are always other ones. What was drawn here stays until something of its own is another than before.

// The same object as before is enough for Vue to leave it alone, if it says that it is remembered.
const remembered = (drawn) => Object.assign(drawn, { memo: [] });

export default {
  inheritAttrs: false,
  props: { tag: String },
  setup(props) {
    const island = Vue.getCurrentInstance(), page = island.root.proxy, own = () => page.elements[island.attrs.id.slice(1)];
    const children = Vue.computed(() => own()?.children?.join());
    const inside = Vue.computed(() => {
      void children.value; // what they are is read, and watched, as they are drawn
      return island.slots.default?.().map(remembered);
    });
    const drawn = Vue.computed(() => {
      void own();
      return remembered(Vue.h(props.tag, { ...island.attrs }, inside.value));
    });
    return () => drawn.value;
  },
};
