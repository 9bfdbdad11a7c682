from facelab_data.rendering import scene


def test_parts_have_numbers_of_their_own_and_hair_comes_last():
    parts = [
        scene.SKIN, scene.EYE_LEFT, scene.EYE_RIGHT, scene.TEETH_UPPER, scene.TEETH_LOWER,
        scene.TONGUE, scene.LASHES, scene.HAIR,
    ]  # fmt: skip
    assert parts == sorted(set(parts))


def test_the_channels_of_skin_do_not_overlap():
    used = [scene.NORMAL + k for k in range(3)] + [scene.PLACE + k for k in range(3)]
    used += [
        scene.MELANIN, scene.HAEMOGLOBIN, scene.SCALP, scene.LIPS, scene.MOUTH_INSIDE,
        scene.OCCLUSION, scene.CLOTH, scene.OIL, scene.BEARD, scene.DARK,
    ]  # fmt: skip
    assert sorted(used) == list(range(scene.N_CHANNELS))
