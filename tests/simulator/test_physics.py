"""Events look like tracks in a time projection chamber."""

import numpy as np
import pytest

from get_protocol.graw import Samples, read_header, samples
from get_simulator.board import Settings, Stamp
from get_simulator.pads import FPN_CHANNELS, pad_plane
from get_simulator.physics import SHAPES, CoboFrames, MutantFrames, hits_of

COBOS = 4


def items(settings: Settings, stamp: Stamp, cobo: int, asad: int) -> Samples:
    frame = CoboFrames(cobo, COBOS).frames(settings, stamp)[asad]
    return samples(frame, read_header(frame))


@pytest.mark.parametrize("cobos", [1, 4, 10])
def test_each_pad_has_a_channel_of_its_own(cobos: int) -> None:
    plane = pad_plane(cobos)
    places = set(zip(*(part.tolist() for part in (plane.cobo, plane.asad, plane.aget, plane.channel)), strict=True))
    assert len(places) == len(plane.cobo) == 1024 * cobos
    assert not set(plane.channel.tolist()) & set(FPN_CHANNELS)
    assert set(plane.cobo.tolist()) == set(range(cobos))


def test_tracks_differ_and_stay_on_the_plane() -> None:
    sizes = [len(hits_of(shape, COBOS).pads) for shape in range(SHAPES)]
    assert min(sizes) > 10
    assert len(set(sizes)) > 5


def test_partial_readout_holds_the_hit_channels_with_their_pulses() -> None:
    plane, hits = pad_plane(COBOS), hits_of(0, COBOS)
    for cobo in range(COBOS):
        for asad in range(4):
            found = items(Settings(cobo_id=cobo), Stamp(0, 0, 0), cobo, asad)
            mine = (plane.cobo[hits.pads] == cobo) & (plane.asad[hits.pads] == asad)
            assert len(found) == 512 * mine.sum()
            if mine.any():
                assert int(found["sample"].max()) > 400, "a pulse stands out of the baseline"


def test_full_readout_shows_the_same_pulses_in_the_right_channels() -> None:
    plane, hits = pad_plane(COBOS), hits_of(0, COBOS)
    strong = hits.pads[hits.heights > 300]
    for cobo, asad in sorted(set(zip(plane.cobo[strong].tolist(), plane.asad[strong].tolist(), strict=True))):
        found = items(Settings(full_readout=True), Stamp(0, 0, 0), cobo, asad)
        assert len(found) == 4 * 68 * 512
        mine = strong[(plane.cobo[strong] == cobo) & (plane.asad[strong] == asad)]
        high = found[found["sample"] > 500]
        expected = set(zip(plane.aget[mine].tolist(), plane.channel[mine].tolist(), strict=True))
        assert expected <= set(zip(high["aget"].tolist(), high["channel"].tolist(), strict=True))


def test_noise_channels_are_read_when_asked_for() -> None:
    found = items(Settings(fpn_read=True), Stamp(0, 0, 0), 0, 0)
    quiet = found[np.isin(found["channel"], FPN_CHANNELS)]
    assert len(quiet) == 16 * 512
    assert 200 < quiet["sample"].mean() < 450
    assert 1 < quiet["sample"][:512].std() < 10


def test_readout_depth_limits_the_buckets() -> None:
    found = items(Settings(fpn_read=True, depth=128), Stamp(0, 0, 0), 0, 0)
    assert int(found["bucket"].max()) == 127


def test_frames_are_stamped_anew_each_time() -> None:
    source = CoboFrames(0, COBOS)
    first = source.frames(Settings(), Stamp(7, 1 << 40, 3))
    second = source.frames(Settings(), Stamp(8, (1 << 40) + 5, 3 + SHAPES))
    heads = [read_header(first[2]), read_header(second[2])]
    assert [(head.event_idx, head.event_time) for head in heads] == [(7, 1 << 40), (8, (1 << 40) + 5)]
    assert first[2][26:] == second[2][26:]


def test_only_active_asads_send() -> None:
    frames = CoboFrames(0, COBOS).frames(Settings(asads=(1, 3)), Stamp(0, 0, 0))
    assert [read_header(frame).asad_idx for frame in frames] == [1, 3]


def test_mutant_frames_carry_the_number() -> None:
    frames = MutantFrames().frames(Settings(mutant_readout=True), Stamp(41, 0, 0))
    assert [read_header(frame).event_idx for frame in frames] == [41]
    assert MutantFrames().frames(Settings(), Stamp(41, 0, 0)) == []
