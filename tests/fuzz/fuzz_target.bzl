"""Fuzz targets: programs with libFuzzer, built by scripts/fuzz with Clang (--config=fuzz)."""

def fuzz_target(name, deps):
    """The fuzz target in <name>.cc. Its seeds are in corpus/<name>/, its dictionary, if any, is <name>.dict.

    Args:
      name: the name of the target. `scripts/fuzz NAME` runs it.
      deps: the libraries under test. Keep their closure small: all of it is compiled again.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        linkopts = ["-fsanitize=fuzzer"],
        # Needs Clang; the compiler of other builds cannot link it.
        tags = [
            "fuzz",
            "manual",
        ],
        deps = deps + [":fuzz_target"],
    )
