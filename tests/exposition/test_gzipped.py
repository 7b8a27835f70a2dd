import gzip
import random
import zlib

from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition import gzipped
from exporter.exposition.gzipped import Checksum


def assemble(pieces: list[bytes], last: bytes) -> bytes:
    packed = [gzipped.piece(each) for each in pieces]
    return gzipped.start(packed) + gzipped.end(last, sum((each.checksum for each in packed), Checksum()))


@given(st.lists(st.binary(max_size=300), max_size=12), st.binary(max_size=300))
def test_pieces_compressed_apart_read_as_one(pieces: list[bytes], last: bytes) -> None:
    assert gzip.decompress(assemble(pieces, last)) == b"".join(pieces) + last
    assert [gzipped.piece(each).plain() for each in pieces] == pieces


def test_the_file_has_one_member_as_not_every_reader_accepts_several() -> None:
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    reader.decompress(assemble([b"a" * 5000, b"b" * 5000], b"end"))
    assert reader.eof
    assert reader.unused_data == b""


def test_large_pieces_decompress_to_their_text() -> None:
    noise = random.Random(1).randbytes(3_000_000)
    assert gzip.decompress(assemble([noise, noise], noise)) == noise * 3
