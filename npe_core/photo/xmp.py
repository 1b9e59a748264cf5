"""XMP packets: the orientation in them, and the edit parameters merged into them and read back.

A packet is edited as text, not parsed and written anew: what other programs stored stays byte for byte, and no XML
parser meets an untrusted file.
"""

from __future__ import annotations

import html
import re

NAMESPACE = "https://neural-photo-editor.invalid/ns/1.0/"

_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s{0,8}=\s{0,8}["']|>\s{0,8}))([1-8])(?=\s{0,8}["'<])""")
_PARAMETERS = re.compile(rb"<npe:parameters>([^<]*)</npe:parameters>")
_OPEN = b'<%b:Description %b:about="" xmlns:npe="' + NAMESPACE.encode() + b'">'
_NAME = rb"[A-Za-z_][\w.-]{0,30}"
_RDF = re.compile(
    rb"""xmlns:(%b)\s{0,8}=\s{0,8}["']http://www\.w3\.org/1999/02/22-rdf-syntax-ns#["']""" % _NAME,
)
"""Where a packet says by what prefix it names the elements of RDF."""
_OURS = re.compile(
    _OPEN.replace(b".", rb"\.") % (b"(?P<rdf>%b)" % _NAME, b"(?P=rdf)")
    + rb"<npe:parameters>[^<]*</npe:parameters></(?P=rdf):Description>\n?"
)
EXTENSION_LOST = "the extension of the XMP packet (depth maps, larger previews) is not kept"
_ATTACHMENTS = {
    rb"G?Camera:(?:MotionPhoto|MicroVideo)\w*": "the video of the motion photo is not kept",
    rb"hdrgm:\w+": "the HDR gain map is not kept",
    rb"xmpNote:HasExtendedXMP": EXTENSION_LOST,
}
"""Properties about what lies in the file beside the picture, and what to say of that."""
_LISTS = (b"xmp:Thumbnails", b"xap:Thumbnails", b"Container:Directory", b"GContainer:Directory")
"""Elements with previews of the picture before the edit, and with what lies behind it."""
_LONGEST_PROPERTY = 256
_END = b"<?xpacket end"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n'
    b'<?xpacket end="w"?>'
)


def read_orientation(packet: bytes) -> int | None:
    """The ``tiff:Orientation`` 1..8 of a packet, None where there is none."""
    found = _ORIENTATION.search(packet)
    return int(found[2]) if found else None


def made_upright(packet: bytes) -> bytes:
    """The packet with ``tiff:Orientation`` 1, if it has one."""
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def without_attachments(packet: bytes) -> tuple[bytes, list[str]]:
    """(the packet without previews and without properties of what an edited file does not hold, what to say of that).

    A viewer would look for a video that is not there, and show the picture before the edit.
    """
    notes = []
    for name in _LISTS:
        packet = _without_elements(packet, name)
    for names, note in _ATTACHMENTS.items():
        value = rb"""\s{0,8}=\s{0,8}(?:"[^"<]{0,%d}"|'[^'<]{0,%d}')""" % (_LONGEST_PROPERTY, _LONGEST_PROPERTY)
        element = rb"<(%s)>[^<]{0,%d}</\1>" % (names, _LONGEST_PROPERTY)
        packet, found = re.subn(rb"\s%s%s|%s" % (names, value, element), b"", packet)
        if found:
            notes.append(note)
    return packet, notes


def _without_elements(packet: bytes, name: bytes) -> bytes:
    parts, at = [], 0
    while (start := packet.find(b"<" + name + b">", at)) >= 0:
        closing = b"</" + name + b">"
        end = packet.find(closing, start)
        if end < 0:
            break
        parts.append(packet[at:start])
        at = end + len(closing)
    return b"".join(parts) + packet[at:]


def read_parameters(packet: bytes) -> str | None:
    """The text of ``npe:parameters``, None where there is none."""
    found = _PARAMETERS.search(packet)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else None


def without_parameters(packet: bytes) -> bytes:
    """The packet without the parameters of an earlier edit."""
    return _PARAMETERS.sub(b"", _OURS.sub(b"", packet))


def with_parameters(packet: bytes | None, parameters: str) -> bytes | None:
    """The packet (None: a new one) with the parameters added; None where the packet is no readable XMP."""
    packet = without_parameters(_EMPTY if packet is None else packet)
    bound = _RDF.search(packet)
    rdf = bound[1] if bound else b"rdf"
    packet = re.sub(rb"(<%b:RDF(?:\s[^<>]{0,4096})?)/>" % re.escape(rdf), rb"\1></%b:RDF>" % rdf, packet, count=1)
    head, closing, tail = packet.rpartition(b"</%b:RDF" % rdf)
    if not closing:
        return None
    text = html.escape(parameters, quote=False).encode()
    ours = _OPEN % (rdf, rdf) + b"<npe:parameters>" + text + b"</npe:parameters></%b:Description>\n" % rdf
    return head + ours + closing + tail


def without_padding(packet: bytes) -> bytes:
    """The packet without the white space that programs reserve for editing in place."""
    head, end, tail = packet.rpartition(_END)
    return head.rstrip() + b"\n" + end + tail if end else packet
