"""`./anju face check` and `./anju face eval`, with the real engine."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from PIL import Image

from backend.faces_cli import add_face_commands
from backend.gateways.face_evaluation import Rate
from tests.face_samples import document, landscape, picture, saved, selfie, somebody_else


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures: two of one person, one of another, one of nobody."""
    for name, content in (
        ("a.jpg", document()), ("b.jpg", selfie()), ("c.jpg", somebody_else()), ("d.png", saved(landscape(), "PNG")),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    return tmp_path


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_face_commands(parser.add_subparsers())
    chosen = parser.parse_args([str(word) for word in words])
    status: int = chosen.run(chosen)
    return status


@pytest.mark.parametrize(
    ("second", "decision", "status"), [("b", "match", 0), ("c", "no_match", 3), ("d", "retake", 4)]
)
def test_check_tells_decision_distance_and_quality(
    folder: Path, capsys: pytest.CaptureFixture[str], second: str, decision: str, status: int
) -> None:
    (path,) = folder.glob(f"{second}.*")
    assert run("face", "check", folder / "a.jpg", path, "--json") == status
    told = json.loads(capsys.readouterr().out)
    assert told["decision"] == decision and told["document_quality"]["eyes_apart"] > 60
    assert run("face", "check", folder / "a.jpg", path) == status
    assert f"decision   {decision}\n" in capsys.readouterr().out


def test_eval_counts_each_kind_of_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.csv").write_text("file_a,file_b,same\na.jpg,b.jpg,1\na.jpg,c.jpg,0\na.jpg,d.png,0\n", "ascii")
    assert run("face", "eval", folder / "pairs.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["undetected"]["hits"] == 1 and told["undetected"]["tries"] == 4
    at_forty = next(row for row in told["single"] if row["threshold"] == 0.40)
    assert (at_forty["false_match"]["hits"], at_forty["false_match"]["tries"]) == (0, 1)
    assert (at_forty["false_non_match"]["hits"], at_forty["false_non_match"]["tries"]) == (0, 1)


def test_eval_measures_the_rest_when_rows_and_files_cannot_be_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpg").write_bytes(document()[:5_000])
    (folder / "note.jpg").write_bytes(b"no picture")
    (folder / "empty.png").touch()
    lines = ["same, file_a ,file_b,more", "1,a.jpg,b.jpg,x", "0,a.jpg,c.jpg", "perhaps,a.jpg,b.jpg", "1,a.jpg"]
    lines += ["1,a.jpg,broken.jpg", "0,c.jpg,note.jpg", "1,a.jpg,gone.jpg", "0,empty.png,c.jpg", "true,a.jpg,."]
    (folder / "pairs.csv").write_text("\r\n".join(lines), "utf-8-sig")
    assert run("face", "eval", folder / "pairs.csv", "--json") == 1
    said = capsys.readouterr()
    told = json.loads(said.out)
    at_forty = next(row for row in told["single"] if row["threshold"] == 0.40)
    assert (at_forty["false_match"]["tries"], at_forty["not_recognised"]["tries"]) == (1, 1)
    assert told["rows_left_out"] == 7 and "7 of 9 rows were left out" in said.err
    for name in ("line 4", "line 5", "broken.jpg", "note.jpg", "gone.jpg", "empty.png"):
        assert any(name in one["place"] for one in told["unread"]) and name in said.err
    assert told["undetected"]["tries"] == 3


def test_eval_says_what_failures_to_detect_do_to_recognition(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tiny.jpg").write_bytes(picture(change=lambda image: image.resize((40, 40))))
    (folder / "huge.png").write_bytes(saved(Image.new("L", (8_000, 7_000)), "PNG"))
    (folder / "two.jpg").write_bytes(picture(change=two_of))
    (folder / "sideways.jpg").write_bytes(picture(change=lambda image: image.transpose(Image.Transpose.ROTATE_90)))
    names = ("b.jpg", "tiny.jpg", "huge.png", "two.jpg", "d.png", "sideways.jpg")
    rows = "".join(f"a.jpg,{name},1\n" for name in names)
    (folder / "pairs.csv").write_text(f"file_a,file_b,same\n{rows}", "ascii")
    assert run("face", "eval", folder / "pairs.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["undetected"]["by"] == {
        "document_too_small": 1, "document_too_large": 1, "document_several_faces": 1, "document_no_face": 1
    }  # fmt: skip
    assert all(row["not_recognised"]["tries"] == 0 for row in told["mean_of_three"]), "no three faces beside the first"
    for block in ("single", "mean_of_takes"):
        at_forty = next(row for row in told[block] if row["threshold"] == 0.40)
        assert (at_forty["false_non_match"]["hits"], at_forty["false_non_match"]["tries"]) == (0, 2)
        assert (at_forty["not_recognised"]["hits"], at_forty["not_recognised"]["tries"]) == (4, 6)
    run("face", "eval", folder / "pairs.csv")
    said = capsys.readouterr()
    assert "1 × The picture shows more than one face. (document_several_faces)" in said.out
    assert "[##############################] 7/7 pictures" in said.err


def two_of(image: Image.Image) -> Image.Image:
    both = Image.new("RGB", (2 * image.width, image.height))
    both.paste(image, (0, 0))
    both.paste(image, (image.width, 0))
    return both


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("file_a,file_b\nx,y\n", "same is missing"),
        ("file_a,file_b,same\nx,y,maybe\n", "line 2"),
        ("file_a,file_b,same\n", "no pair"),
        ("file_a,file_b,same\nnot-there.jpg,a.jpg,1\n", "not-there.jpg"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str, word: str
) -> None:
    (folder / "pairs.csv").write_text(content, "ascii")
    assert run("face", "eval", folder / "pairs.csv") == 1
    assert word in capsys.readouterr().err


def test_a_missing_picture_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("face", "check", folder / "a.jpg", folder / "nothing.jpg") == 1
    assert "nothing.jpg" in capsys.readouterr().err


def test_intervals_are_wilsons() -> None:
    assert [round(end, 3) for end in Rate(0, 91).interval()] == [0.0, 0.041]
    assert [round(end, 3) for end in Rate(5, 14).interval()] == [0.163, 0.612]
