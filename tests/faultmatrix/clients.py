"""D. Browsers and clients."""

from tests.faultmatrix.row import Row

PAGE, HERE, CHAT = "faultmatrix/test_page.py", "faultmatrix/test_process.py", "ui/test_chat_page.py"
KEYS, ROUTES, BRANCHES, OUTAGES = "api/test_keys.py", "api/test_routes.py", "ui/test_branches.py", "ui/test_outages.py"

CLIENTS = (
    Row(
        71,
        "a tab is closed in the middle of a reply",
        "all of it, when the conversation is opened again",
        "the whole answer",
        tests=(f"{PAGE}::test_a_tab_that_is_closed_stops_nothing", f"{ROUTES}::test_who_leaves_may_keep_it_running"),
    ),
    Row(
        72,
        "a tab sleeps",
        "all of it when it wakes, no reload",
        "the whole answer",
        tests=(f"{OUTAGES}::test_a_tab_that_slept_shows_it_all_when_it_wakes",),
        run="benchmarks.checks sleep",
    ),
    Row(
        73,
        "the network is gone for a while",
        "\u201cConnection lost\u201d, the draft stays, then all of it",
        "the whole answer",
        tests=(
            f"{OUTAGES}::test_a_reply_goes_on_after_some_seconds_offline",
            f"{BRANCHES}::test_offline_and_back_everything_is_there_once",
        ),
        run="benchmarks.checks sleep",
    ),
    Row(
        74,
        "a network that comes and goes; everybody comes back at once",
        "all of it, once, no reload",
        "the whole answer",
        tests=(f"{PAGE}::test_a_network_that_comes_and_goes", "reliability/test_kill.py::test_what_was_shown_survives_a_kill"),
    ),
    Row(
        75,
        "resuming from 0, anywhere, the end, no number, beyond the end, of nothing, of what is gone",
        "exactly the rest; 204; 400; 404; 410",
        "nothing changes",
        tests=(
            f"{ROUTES}::test_whatever_a_client_has_it_gets_exactly_the_rest",
            f"{ROUTES}::test_who_has_everything_is_told_to_stop_reconnecting",
            f"{ROUTES}::test_a_bad_position_is_400",
            "api/test_refusals.py::test_what_is_not_there",
            "generations/test_registry.py::test_what_is_too_many_too_old_or_too_large_is_gone",
            "reliability/test_resume.py::test_every_transcript_is_the_log_however_often_it_was_cut",
        ),
    ),
    Row(
        76,
        "two tabs, one conversation",
        "the same in both",
        "one reply",
        tests=(f"{CHAT}::test_two_tabs_show_the_same",),
    ),
    Row(
        77,
        "both send at once",
        "one is answered, the other is told; its text stays",
        "one reply; conflict",
        tests=("talks/test_asking.py::test_of_two_tabs_that_send_at_once_one_wins",),
    ),
    Row(
        78,
        "a double click, Enter twice, a request that a proxy repeats",
        "one message, one answer",
        "one reply; the model is asked once",
        tests=(
            f"{CHAT}::test_quick_messages_are_not_swallowed",
            f"{BRANCHES}::test_a_double_click_regenerates_once",
            f"{BRANCHES}::test_a_message_that_arrives_twice_is_sent_once",
            f"{KEYS}::test_twenty_at_once_are_one_call_and_get_the_same",
        ),
    ),
    Row(
        79,
        "the same key with another body",
        "422",
        "nothing",
        tests=(f"{KEYS}::test_the_same_key_with_another_request_is_refused",),
    ),
    Row(
        80,
        "Stop at every moment",
        "stopped, or the whole answer; never both",
        "one end, and when the connection was closed",
        tests=(
            "reliability/test_stop.py::test_a_stop_at_every_append",
            "generations/test_generation.py::test_a_stop_comes_at_any_moment",
            f"{CHAT}::test_escape_stops",
        ),
    ),
    Row(
        81,
        "Stop while it waits to ask again, or for a first word",
        "stopped, at once",
        "stopped",
        tests=(
            "reliability/test_stop.py::test_a_stop_while_it_waits_to_ask_again",
            "reliability/test_stop.py::test_a_stop_while_nothing_has_come_yet",
        ),
    ),
    Row(
        82,
        "Stop, and the model server does not listen",
        "stopped, at once",
        "stopped; our connection is closed",
        tests=(f"{HERE}::test_a_stop_does_not_wait_for_a_server_that_stands_still",),
    ),
    Row(
        83,
        "a conversation is deleted while it is answered",
        "it is gone, in other tabs, too",
        "stopped; nothing comes back",
        tests=(
            f"{BRANCHES}::test_a_conversation_is_renamed_and_deleted_while_it_streams",
            "library/test_discarding.py::test_what_is_discarded_is_hidden_and_stopped_and_comes_back_whole",
        ),
    ),
    Row(
        84,
        "edit, regenerate, another branch while a reply runs",
        "refused with a sentence, or another branch",
        "no word of the one in the other",
        tests=(
            "talks/test_asking.py::test_while_an_answer_runs_nothing_else_is_asked",
            f"{BRANCHES}::test_another_branch_is_looked_at_while_an_answer_runs",
        ),
    ),
    Row(
        85,
        "a model server is changed or removed while it answers",
        "the answer",
        "the whole answer",
        tests=("setup/test_servers.py::test_a_reply_that_runs_goes_on_when_its_server_is_another_one",),
    ),
    Row(
        86,
        "a client that takes nothing",
        "it is dropped after `server.write_timeout`, and may come back",
        "the whole answer",
        tests=("api/test_stream.py::test_a_client_that_takes_nothing_is_dropped_and_can_come_back",),
    ),
    Row(
        87,
        "a client resets the connection right after its POST",
        "its one reply, with the same Idempotency-Key",
        "one reply; the model is asked once",
        tests=(
            f"{HERE}::test_a_client_that_is_gone_before_it_is_answered_finds_its_one_reply_by_its_key",
            f"{KEYS}::test_who_sent_a_key_may_leave_and_come_back",
        ),
    ),
    Row(
        88,
        "a proxy that compresses, gathers, or hangs up when nothing comes",
        "every word at once: no-transform, X-Accel-Buffering, comments while it is silent",
        "nothing changes",
        tests=(f"{ROUTES}::test_a_turn_is_answered_with_its_stream", "api/test_stream.py::test_an_idle_stream_has_a_heartbeat"),
    ),
    Row(
        89,
        "more tabs than a browser opens connections",
        "the answer in all of them",
        "one reply",
        tests=(f"{PAGE}::test_more_tabs_than_a_browser_has_connections",),
    ),
    Row(
        90,
        "a message of 1 MB; a file that is too large",
        "which limit, before anything is sent; the text stays",
        "nothing",
        tests=(
            f"{PAGE}::test_a_message_that_is_too_long_is_refused_before_it_is_sent",
            "ui/test_composer.py::test_what_cannot_be_attached_is_refused_by_name",
            "api/test_gate.py::test_a_large_body_is_413",
        ),
    ),
    Row(
        91,
        "another Headrace behind an open page",
        "it loads once; the draft stays",
        "nothing changes",
        tests=(f"{BRANCHES}::test_the_server_restarts_under_an_open_page", f"{CHAT}::test_a_draft_outlives_a_reload_and_a_lost_server"),
    ),
    Row(
        92,
        "a row of the database that cannot be read",
        "\u201cThis message is damaged\u201d; all others can be read",
        "damaged",
        tests=(
            "store/test_sqlite.py::test_a_spoiled_row_is_damaged_and_the_others_open",
            "talks/test_keeping.py::test_a_damaged_message_is_passed_over",
        ),
    ),
    Row(
        93,
        "an import that is hostile: cycles, depth, size, wrong types, markup",
        "what could be read; the rest by name",
        "nothing of another conversation",
        tests=(
            "exchange/test_hostile.py::test_any_links_whatever",
            "exchange/test_hostile.py::test_anything_may_stand_in_the_place_of_anything",
            "exchange/test_hostile.py::test_what_is_too_large_is_skipped_and_never_kept",
            "library/test_moving.py::test_a_hostile_file_takes_no_message_from_another_conversation",
        ),
    ),
    Row(
        94,
        "the computer sleeps in the middle of a reply",
        "the rest of it; or what came, and \u201cNo new text came\u201d",
        "the whole answer; gap_timeout",
        tests=(f"{HERE}::test_a_process_that_stood_still_goes_on_keeps_its_place_and_drops_nobody",),
    ),
)
