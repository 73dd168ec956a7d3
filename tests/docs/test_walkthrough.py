"""The walkthrough runs every command of "Getting started", shortened unless told otherwise."""

from __future__ import annotations

from blocks import commands, read_blocks
from walkthrough import FURTHER_PAGES, PAGE, ROOT, script


def test_every_command_is_run_in_the_order_of_the_page():
    blocks = [block for block in read_blocks(PAGE) if block.language == "bash"]
    expected = [command.split()[0] for block in blocks for command in commands(block.code)]
    lines = script(blocks, literal=False).splitlines()
    pages = ["python"] * len(FURTHER_PAGES)
    assert [line.split()[0] for line in lines] == ["set", *expected, *pages]
    assert {"python3", "source", "pip", "mario-play", "mario-train", "mario-eval"} <= set(expected)


def test_the_pages_about_own_code_are_run_after_it():
    lines = script(read_blocks(PAGE), literal=True).splitlines()
    for line, page in zip(lines[-3:], ("own-game", "own-agent", "python-api"), strict=True):
        program, file = line.split()[1:]
        assert file == f"docs/{page}.md"
        assert (ROOT / program).is_file()
        assert (ROOT / file).is_file()


def test_training_is_shortened_unless_the_script_is_literal():
    command = "mario-train --evaluation.target-clear-rate 0.95"
    blocks = read_blocks(PAGE)
    assert command in script(blocks, literal=True).splitlines()
    assert f"{command} --steps 100 --evaluation.episodes 1" in script(blocks, literal=False)


def test_trainings_that_would_run_for_days_are_always_limited():
    command = "mario-train --game Tetris-v0 --steps 20 --evaluation.episodes 0"
    for literal in (False, True):
        assert command in script(read_blocks(PAGE), literal)


def test_a_run_folder_is_that_of_the_latest_run():
    assert 'mario-train --resume "$(ls -d runs/* | tail -n 1)"' in script(
        read_blocks(PAGE), literal=True
    )
