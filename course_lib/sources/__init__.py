"""Fetch, verify, cache: the one door through which data and models come in.

    from course_lib import sources
    folder = sources.fetch("movielens-100k")

Every file is pinned by its SHA-256 in `datasets/manifest.toml`, so it does not matter which mirror it came from.
Environment variables: COURSE_CACHE_DIR moves the cache, COURSE_OFFLINE=1 forbids any download, COURSE_MIRROR names
a folder or web address that is tried first and holds `<artefact>/<file>` (a classroom's own mirror).
"""

from course_lib.sources.cache import ArtefactStatus, FileState, fetch, list_artefacts, verify
from course_lib.sources.manifest import Artefact, Mirror, SourceError, SourceFile, load_manifest

__all__ = [
    "Artefact",
    "ArtefactStatus",
    "FileState",
    "Mirror",
    "SourceError",
    "SourceFile",
    "fetch",
    "list_artefacts",
    "load_manifest",
    "verify",
]
