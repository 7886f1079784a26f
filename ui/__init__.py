"""Everything on screen: the only NiceGUI. Pages ask services.chat; panels draw, and turn gestures into intents."""
