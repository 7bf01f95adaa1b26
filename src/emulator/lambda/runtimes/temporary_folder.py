# Gives the function a /tmp of its own without a container: paths under /tmp that it hands to open(), os, sqlite3 and
# subprocess lead to the folder of its execution environment, and back to /tmp in what is returned. Writes beyond
# EphemeralStorage fail with ENOSPC, as on AWS. Out of reach: native code, and programs that the function starts, beyond
# their arguments, working folder and TMPDIR.
import builtins
import errno
import functools
import io
import os
import re
import stat
import sys

# "<MB>:<folder>"
SETTING = "MINILAKE_TMP"
# The folder is measured anew after so many bytes, because threads, programs and native code write, too.
LOOK_BYTES = 32 * 1024 * 1024

ONE_PATH = (
    "access chflags chmod chown getxattr lchflags lchmod lchown link listxattr lstat mkdir mkfifo mknod open pathconf readlink "
    "remove removexattr rename replace rmdir scandir setxattr stat statvfs symlink truncate unlink utime listdir chdir"
).split()
TWO_PATHS = {"link", "rename", "replace", "symlink"}
WRITING = os.O_WRONLY | os.O_RDWR


class Paths:
    """Translation between /tmp, as the function sees it, and its folder."""

    def __init__(self, folder):
        self.folder = folder
        # What lies under the machine's /tmp and is needed: the function's code, Python and its packages.
        needed = [folder, os.environ.get("LAMBDA_TASK_ROOT"), sys.prefix, sys.base_prefix, *sys.path]
        self.kept = [path for path in needed if path and path.startswith("/tmp/")]
        self.word = re.compile(r"(?<![\w./-])/tmp(?![\w.-])")

    def inward(self, path):
        if isinstance(path, str):
            return self._text(path)
        if isinstance(path, bytes):
            text = os.fsdecode(path)
            mapped = self._text(text)
            return path if mapped is text else os.fsencode(mapped)
        if isinstance(path, os.PathLike):
            own = path.__fspath__()
            mapped = self.inward(own)
            return path if mapped is own else mapped
        return path

    def _text(self, text):
        if not text.startswith("/") or "/tmp" not in text:
            return text
        path = text
        if "//" in path or "/." in path:
            # normpath drops a slash at the end, which has a meaning.
            path = "/" + os.path.normpath(path).lstrip("/") + ("/" if path.endswith("/") else "")
        if not _is_in(path, "/tmp") or any(_is_in(path, parent) for parent in self.kept):
            return text
        return self.folder + path[4:]

    def outward(self, path):
        if isinstance(path, str):
            return "/tmp" + path[len(self.folder) :] if _is_in(path, self.folder) else path
        if isinstance(path, bytes):
            return os.fsencode(self.outward(os.fsdecode(path)))
        return path

    def is_ours(self, path):
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        return isinstance(path, str) and _is_in(path, self.folder)

    def in_text(self, value):
        """Paths in the arguments of a program, or in a command line."""
        if isinstance(value, bytes):
            return os.fsencode(self.in_text(os.fsdecode(value)))
        if isinstance(value, os.PathLike):
            return self.inward(value)
        if not isinstance(value, str) or "/tmp" not in value:
            return value
        return self.word.sub(
            lambda match: match[0] if any(value.startswith(kept, match.start()) for kept in self.kept) else self.folder,
            value,
        )

    def explain(self, error):
        """Errors speak of /tmp."""
        if isinstance(error.filename, (str, bytes)):
            error.filename = self.outward(error.filename)
        if isinstance(error.filename2, (str, bytes)):
            error.filename2 = self.outward(error.filename2)
        return error


def _is_in(path, parent):
    return path.startswith(parent) and (len(path) == len(parent) or path[len(parent)] == "/")


class Space:
    """How much may still be written to the folder."""

    def __init__(self, folder, limit_bytes):
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.free = -1
        self.scandir = os.scandir

    def used(self, folder=None):
        total = 0
        try:
            with self.scandir(folder or self.folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        total += self.used(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            pass  # removed in the meantime
        return total

    def take(self, count, replaced=None):
        """Raises ENOSPC. `replaced()` tells how many of these bytes take the place of others."""
        if count > self.free:
            left = self.limit_bytes - self.used()
            if count - (replaced() if replaced else 0) > left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.free = min(left, max(count, LOOK_BYTES))
        self.free -= count


def counted_file(space, descriptors):
    class CountedFile(io.FileIO):
        """A file under /tmp that is written to."""

        def __init__(self, *args):
            super().__init__(*args)
            self._descriptor = self.fileno()
            descriptors.add(self._descriptor)

        def close(self):
            if not self.closed:
                descriptors.discard(self._descriptor)
            super().close()

        def write(self, data):
            count = memoryview(data).nbytes

            def replaced():
                if not self.seekable() or "a" in self.mode:
                    return 0
                return max(0, min(count, os.fstat(self.fileno()).st_size - self.tell()))

            space.take(count, replaced)
            return super().write(data)

    return CountedFile


class Entry:
    """A DirEntry whose path is the one that the function knows."""

    __slots__ = ("_entry", "path")

    def __init__(self, entry, path):
        self._entry = entry
        self.path = path

    def __getattr__(self, name):
        return getattr(self._entry, name)

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return repr(self._entry)


class Entries:
    def __init__(self, entries, outward):
        self._entries = entries
        self._outward = outward

    def __iter__(self):
        return self

    def __next__(self):
        entry = next(self._entries)
        return Entry(entry, self._outward(entry.path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._entries.close()

    def close(self):
        self._entries.close()


def install():
    megabytes, _, folder = os.environ.get(SETTING, "").partition(":")
    if not folder:
        return
    paths = Paths(folder)
    space = Space(folder, int(megabytes) * 1024 * 1024)
    descriptors = set()
    _redirect_os(paths, space, descriptors)
    _redirect_open(paths, space, descriptors)
    # It remembers os.unlink; what else was loaded before looks functions up when it needs them.
    sys.modules.pop("tempfile", None)
    sys.meta_path.insert(0, _Afterwards({"sqlite3": _redirect_sqlite, "subprocess": _redirect_programs}, paths))


def _redirect_os(paths, space, descriptors):
    original_open, original_write, original_close = os.open, os.write, os.close
    sets = [getattr(os, name) for name in ("supports_dir_fd", "supports_fd", "supports_effective_ids", "supports_follow_symlinks")]

    def replace(name, wrapped):
        original = getattr(os, name)
        functools.update_wrapper(wrapped, original)
        del wrapped.__wrapped__
        for functions in sets:
            if original in functions:
                functions.add(wrapped)
        setattr(os, name, wrapped)

    def wrap(name):
        original = getattr(os, name)
        # The file names of these parameters; all others are rare.
        keywords = ("src", "dst") if name in TWO_PATHS else ("path",)

        def wrapped(*args, **options):
            if args:
                args = (paths.inward(args[0]), *args[1:])
                if len(args) > 1 and name in TWO_PATHS:
                    args = (args[0], paths.inward(args[1]), *args[2:])
            for keyword in keywords:
                if keyword in options:
                    options[keyword] = paths.inward(options[keyword])
            try:
                return original(*args, **options)
            except OSError as error:
                raise paths.explain(error) from None

        return wrapped

    for name in ONE_PATH:
        if hasattr(os, name):
            replace(name, wrap(name))

    # Programs: their name, arguments or command line. exec*, spawn* and popen come down to these.
    system, execv, execve = os.system, os.execv, os.execve
    replace("system", lambda command: system(paths.in_text(command)))
    replace("execv", lambda path, args: execv(paths.in_text(path), [paths.in_text(each) for each in args]))
    replace("execve", lambda path, args, env: execve(paths.in_text(path), [paths.in_text(each) for each in args], env))
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            replace(name, _spawning(getattr(os, name), paths))

    scandir, statvfs, readlink, getcwd, getcwdb = os.scandir, os.statvfs, os.readlink, os.getcwd, os.getcwdb

    def opened(path, flags, *args, **options):
        inner = paths.inward(path)
        try:
            descriptor = original_open(inner, flags, *args, **options)
        except OSError as error:
            raise paths.explain(error) from None
        if flags & WRITING and paths.is_ours(inner):
            descriptors.add(descriptor)
        return descriptor

    def closed(descriptor):
        descriptors.discard(descriptor)
        return original_close(descriptor)

    def written(descriptor, data):
        if descriptor in descriptors:
            space.take(memoryview(data).nbytes)
        return original_write(descriptor, data)

    def scanned(path="."):
        inner = paths.inward(path)
        return Entries(scandir(path), paths.outward) if inner is not path else scandir(path)

    def space_of(path):
        figures = statvfs(path)
        if isinstance(path, int) or not paths.is_ours(paths.inward(os.fspath(path))):
            return figures
        values = list(figures) + [figures.f_fsid]
        values[2] = space.limit_bytes // figures.f_frsize
        values[3] = values[4] = max(0, space.limit_bytes - space.used()) // figures.f_frsize
        return os.statvfs_result(values)

    replace("open", opened)
    replace("close", closed)
    replace("write", written)
    replace("scandir", scanned)
    replace("statvfs", space_of)
    replace("readlink", lambda *args, **options: paths.outward(readlink(*args, **options)))
    replace("getcwd", lambda: paths.outward(getcwd()))
    replace("getcwdb", lambda: paths.outward(getcwdb()))
    # shutil copies with these; both give the file to be written and how much of the other one.
    for name, order in (("sendfile", 1), ("copy_file_range", 0)):
        if hasattr(os, name):
            replace(name, _counted_copy(getattr(os, name), order, space, descriptors))


def _counted_copy(original, source_at, space, descriptors):
    def copied(*args, **options):
        target = args[1 - source_at]
        if target in descriptors:
            source = os.fstat(args[source_at])
            if stat.S_ISREG(source.st_mode):
                count = args[2] if source_at == 0 else args[3]
                space.take(min(count, source.st_size))
        return original(*args, **options)

    return copied


def _redirect_open(paths, space, descriptors):
    original = io.open
    CountedFile = counted_file(space, descriptors)

    def opened(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        inner = paths.inward(file)
        try:
            is_ours = file in descriptors if isinstance(file, int) else inner is not file or paths.is_ours(file)
            if not is_ours or opener is not None or not isinstance(mode, str) or not set(mode) & set("wax+"):
                result = original(inner, mode, buffering, encoding, errors, newline, closefd, opener)
                if inner is not file:
                    buffered = getattr(result, "buffer", result)
                    getattr(buffered, "raw", buffered).name = file
                return result
            return layered(file, inner, mode, buffering, encoding, errors, newline, closefd)
        except OSError as error:
            raise paths.explain(error) from None

    def layered(file, inner, mode, buffering, encoding, errors, newline, closefd):
        # The rules of io.open, https://docs.python.org/3/library/functions.html#open; it refuses what is wrong by itself.
        if not isinstance(file, int) and (set(mode) - set("rwaxbt+") or len(mode) != len(set(mode))):
            return original(inner, mode, buffering, encoding, errors, newline, closefd)
        is_text = "b" not in mode
        raw = CountedFile(inner, mode.replace("b", "").replace("t", ""), closefd)
        try:
            raw.name = file
            is_line_buffered = is_text and buffering == 1
            if buffering == 0:
                if is_text:
                    raise ValueError("can't have unbuffered text I/O")
                return raw
            size = io.DEFAULT_BUFFER_SIZE if buffering < 0 or buffering == 1 else buffering
            buffered = io.BufferedRandom(raw, size) if "+" in mode else io.BufferedWriter(raw, size)
            if not is_text:
                return buffered
            text = io.TextIOWrapper(buffered, encoding, errors, newline, is_line_buffered)
            text.mode = mode
            return text
        except BaseException:
            raw.close()
            raise

    functools.update_wrapper(opened, original)
    del opened.__wrapped__
    builtins.open = io.open = opened


def _spawning(spawn, paths):
    return lambda path, argv, env, **options: spawn(
        paths.in_text(path), [paths.in_text(each) for each in argv], env, **options
    )


def _redirect_sqlite(module, paths):
    connect = module.connect

    @functools.wraps(connect)
    def connected(database, *args, **options):
        if options.get("uri") and isinstance(database, str) and database.startswith("file:"):
            # file:/tmp/a.db, file:///tmp/a.db, either with ?mode=ro
            name, mark, query = database[5:].partition("?")
            host = "//" if name.startswith("///") else ""
            return connect("file:" + host + paths.inward(name[len(host) :]) + mark + query, *args, **options)
        return connect(paths.inward(database), *args, **options)

    module.connect = module.dbapi2.connect = connected


def _redirect_programs(module, paths):
    class Popen(module.Popen):
        def __init__(self, args, *rest, **options):
            args = paths.in_text(args) if isinstance(args, (str, bytes, os.PathLike)) else [paths.in_text(each) for each in args]
            options["cwd"] = paths.inward(options.get("cwd"))
            if options.get("env") is not None:
                options["env"] = {"TMPDIR": paths.folder, **options["env"]}
            super().__init__(args, *rest, **options)

    module.Popen = Popen


class _Afterwards:
    """Does something to a module right after it was loaded, so that nothing is loaded only to be changed."""

    def __init__(self, actions, paths):
        self.actions = actions
        self.paths = paths
        for name in [name for name in actions if name in sys.modules]:
            actions.pop(name)(sys.modules[name], paths)

    def find_spec(self, name, path=None, target=None):
        action = self.actions.pop(name, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None and spec.loader is not None:
                load = spec.loader.exec_module

                def exec_module(module):
                    load(module)
                    action(module, self.paths)

                spec.loader.exec_module = exec_module
                return spec
        return None
