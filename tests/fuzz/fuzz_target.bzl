"""Fuzz targets: programs of libFuzzer's, built by scripts/fuzz with Clang (--config=fuzz)."""

def fuzz_target(name, deps):
    """The fuzz target in <name>.cc, whose seeds lie in corpus/<name>/ and whose dictionary, if any, is <name>.dict.

    Args:
      name: the target, which `scripts/fuzz NAME` runs.
      deps: what it fuzzes. Small closures: everything in them is compiled once more.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        linkopts = ["-fsanitize=fuzzer"],
        # The compiler of the other builds cannot link it.
        tags = [
            "fuzz",
            "manual",
        ],
        deps = deps + [":fuzz_target"],
    )
