"""C. Our process and its storage."""

from tests.faultmatrix.row import Row

NO_REDIS = "there is no Redis in this product: the journal is SQLite, in the one process that there is"
HERE, KILL, STORAGE = "faultmatrix/test_process.py", "reliability/test_kill.py", "reliability/test_storage.py"
DATABASE, FAULTS = "generations/test_database.py", "generations/test_faults.py"

PROCESS = (
    Row(
        50,
        "kill -9 in the middle of streams",
        "after the restart what was shown, interrupted, Retry and Continue",
        "all that was ever shown, then interrupted, before the port answers",
        tests=(
            f"{KILL}::test_what_was_shown_survives_a_kill",
            "reliability/test_conversations.py::test_what_was_shown_of_an_answer_is_in_its_conversation",
            "ui/test_outages.py::test_a_server_that_is_killed_and_comes_back_under_an_open_page",
        ),
    ),
    Row(
        51,
        "kill -9 between kept and shown",
        "never more than is kept",
        "what was shown is a prefix of the log",
        tests=(
            f"{KILL}::test_what_was_shown_survives_a_kill",
            "generations/test_log.py::test_nobody_sees_an_entry_before_the_journal_holds_it",
        ),
    ),
    Row(
        52,
        "kill -9 during the first start, a start, a migration: at every statement",
        "nothing: the next start makes up for it",
        "the same as without",
        tests=(
            f"{DATABASE}::test_a_start_that_is_killed_at_any_statement_is_made_up_for",
            f"{DATABASE}::test_a_first_start_that_is_killed_at_any_statement_is_made_up_for",
            "store/test_migrations.py::test_killed_before_any_statement_it_starts_again",
        ),
    ),
    Row(
        53,
        "SIGTERM in the middle of streams",
        "every stream is told its end; clients resume after the restart",
        "interrupted, or the whole answer where `server.drain` sufficed",
        tests=(
            "reliability/test_shutdown.py::test_fifty_streams_end_well_and_are_there_after_a_restart",
            "api/test_server.py::test_sigterm_gives_short_replies_time_to_end",
            f"{STORAGE}::test_a_signal_ends_every_reply_and_keeps_it",
        ),
    ),
    Row(
        54,
        "SIGTERM twice; with nothing running",
        "the end, at once",
        "interrupted",
        tests=(
            "reliability/test_shutdown.py::test_a_second_signal_does_not_wait_for_the_first_ones_patience",
            "api/test_server.py::test_it_ends_at_once_when_nothing_runs",
        ),
    ),
    Row(
        55,
        "of several workers the one that runs a reply dies",
        "the reply, interrupted",
        "a lease that has run out",
        why="there is one process; that the next one ends what ran is row 50",
    ),
    Row(
        56,
        "a process comes back that was thought dead, and another one has started",
        "a sentence where the other one was to start: \u201canother Headrace is using this folder\u201d",
        "one writer, by the lock of the folder",
        tests=(
            f"{HERE}::test_a_process_that_stood_still_goes_on_keeps_its_place_and_drops_nobody",
            f"{STORAGE}::test_a_second_server_on_the_same_folder_does_not_start",
        ),
    ),
    Row(
        57,
        "the disk is full",
        "\u201cThe disk is full\u201d; 503 for new replies; it works again by itself",
        "what was shown, and storage",
        tests=(
            f"{FAULTS}::test_running_replies_end_with_what_was_shown_and_new_ones_are_refused_until_it_works_again",
            "store/test_sqlite.py::test_a_full_disk_is_a_sentence_and_passes",
            "talks/test_keeping.py::test_a_reply_that_a_full_disk_refused_is_stored_when_it_is_opened",
        ),
    ),
    Row(
        58,
        "the disk reports errors",
        "as 57, \u201cThe disk reports an error\u201d",
        "what was shown, and storage",
        tests=(f"{STORAGE}::test_replies_end_new_ones_are_refused_and_it_works_again_by_itself",),
        run="benchmarks.checks storage",
    ),
    Row(
        59,
        "another program holds the database for 1 s; for longer",
        "a pause; as 57, \u201canother program has locked the database\u201d",
        "everything; storage",
        tests=(
            f"{STORAGE}::test_a_lock_of_a_second_is_a_pause",
            f"{STORAGE}::test_replies_end_new_ones_are_refused_and_it_works_again_by_itself",
        ),
    ),
    Row(
        60,
        "the database is missing, another one's, damaged, newer, read-only",
        "the start stops with exit code 2 and a sentence that names the file",
        "nothing is changed, no empty one is made in its place",
        tests=(
            f"{DATABASE}::test_a_file_that_cannot_be_used_is_left_as_it_is",
            f"{STORAGE}::test_a_damaged_journal_stops_the_start_and_stays_as_it_is",
            "store/test_sqlite.py::test_a_damaged_file_is_refused_and_left_alone",
            "store/test_sqlite.py::test_a_missing_file_is_not_begun_anew_where_there_was_one",
        ),
    ),
    Row(
        61,
        "a power cut: the write-ahead log ends at any byte",
        "the history up to some moment",
        "a prefix, of whole entries",
        tests=(f"{DATABASE}::test_a_log_cut_anywhere_is_a_prefix",),
    ),
    Row(62, "Redis is down, at the start or later", "503, or a pause of the live view", "a gap is noted", why=NO_REDIS),
    Row(63, "Redis comes back empty", "everything, from the database", "another epoch", why=NO_REDIS),
    Row(64, "Redis is out of memory, or evicts", "the reply ends with a sentence", "no eviction unnoticed", why=NO_REDIS),
    Row(
        65,
        "PostgreSQL restarts, fails over, has no connection left",
        "503 and a sentence where it lasts",
        "the journal is SQLite in any case",
        why="PostgreSQL may keep conversations; the store's tests run on it with TEST_POSTGRESQL, but nothing kills it there",
    ),
    Row(
        66,
        "the clock jumps two days ahead, then back behind where it was",
        "nothing",
        "the same order, by numbers; waits go by the clock that cannot jump",
        tests=(f"{HERE}::test_a_clock_that_jumps_changes_neither_order_nor_waits",),
    ),
    Row(
        67,
        "the event loop stands still for seconds",
        "a pause; nobody is dropped",
        "everything",
        tests=(f"{HERE}::test_a_process_that_stood_still_goes_on_keeps_its_place_and_drops_nobody",),
    ),
    Row(
        68,
        "no more files may be opened",
        "\u201cHeadrace may open no more files or connections\u201d; what runs goes on",
        "too_many_files",
        tests=(f"{HERE}::test_without_files_to_open_it_says_so_and_what_runs_goes_on",),
    ),
    Row(
        69,
        "stderr cannot be written",
        "nothing",
        "everything",
        tests=(f"{HERE}::test_a_log_that_cannot_be_written_stops_nothing",),
    ),
    Row(
        70,
        "the n-th statement fails, the n-th call of the system, for every n",
        "a sentence, or nothing; never a crash or a hang",
        "what was shown",
        tests=(
            f"{DATABASE}::test_a_start_that_is_killed_at_any_statement_is_made_up_for",
            "store/test_migrations.py::test_killed_before_any_statement_it_starts_again",
        ),
        run="benchmarks.checks storage",
    ),
)
