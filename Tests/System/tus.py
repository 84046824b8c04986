"""The tus protocol by hand, request by request; the stock client has its own tests."""

import base64
import hashlib

VERSION = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}


def checksum(data, algorithm="sha1"):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def metadata(**values):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


class Upload:
    """An upload of an image, or a part of one, as one user sees it."""

    def __init__(self, session, url):
        self.session = session
        self.url = url

    @classmethod
    def create(cls, session, image, length, **headers):
        answer = session.post(f"{image}/uploads", headers={**VERSION, "Upload-Length": str(length), **headers})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Tus-Resumable"] == "1.0.0" and "GMT" in answer.headers["Upload-Expires"]
        return cls(session, answer.headers["Location"])

    @classmethod
    def parts(cls, session, image, lengths, **headers):
        return [cls.create(session, image, length, **{"Upload-Concat": "partial"}, **headers) for length in lengths]

    def head(self):
        return self.session.head(self.url, headers=VERSION, timeout=60)

    @property
    def offset(self):
        answer = self.head()
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def patch(self, data, offset, **headers):
        headers = {**VERSION, **OCTETS, "Upload-Offset": str(offset), **headers}
        return self.session.patch(self.url, data=data, headers=headers, timeout=60)

    def end(self):
        return self.session.delete(self.url, headers=VERSION, timeout=60)


def concatenate(session, image, parts, **headers):
    urls = " ".join(part.url for part in parts)
    return session.post(f"{image}/uploads", headers={**VERSION, "Upload-Concat": f"final;{urls}", **headers}, timeout=60)
