from facelab_data.rendering import compiled


def test_a_kernel_computes_what_its_function_does():
    assert compiled.inline(lambda a, b: a * b + 1.0)(2.0, 3.0) == 7.0


def test_the_digest_follows_the_modules_of_the_folder(tmp_path, monkeypatch):
    before = compiled.sources()
    assert before == compiled.sources()
    (tmp_path / "compiled.py").write_text("x = 1")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    first = compiled.sources()
    (tmp_path / "other.py").write_text("y = 2")
    assert len({before, first, compiled.sources()}) == 3
