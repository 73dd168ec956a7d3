"""Doctests become code blocks; other text stays as it is."""

from __future__ import annotations

from fence_doctests import fence


def test_each_group_of_prompts_becomes_a_block():
    text = "First.\n\n>>> a = 1\n>>> a\n1\n\nSecond.\n\n>>> b\n2"
    assert fence(text) == (
        "First.\n\n```pycon\n>>> a = 1\n>>> a\n1\n```\n\nSecond.\n\n```pycon\n>>> b\n2\n```"
    )


def test_text_without_doctests_is_unchanged():
    assert fence("Return x >> 3.\n\n    >= 2\n") == "Return x >> 3.\n\n    >= 2\n"
