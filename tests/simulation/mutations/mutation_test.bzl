"""Tests that the simulation finds a mistake in the registry."""

def mutation_test(name, source):
    """A test that passes if the simulation finds the mistake of NAME.mutation.

    Args:
      name: The name of the mutation.
      source: The label of the source that the mutation changes.
    """
    mutated = "mutated/" + name + ".cc"
    native.genrule(
        name = name + "_source",
        testonly = True,
        srcs = [name + ".mutation", source],
        outs = [mutated],
        cmd = "/usr/bin/python3 $(location mutate.py) $(location %s.mutation) $(location %s) $@" % (name, source),
        tools = ["mutate.py"],
    )

    # Linked before the library with the original source: the linker finds the symbols here and does not take the original
    # object. If it took both, each symbol would be defined twice.
    native.cc_library(
        name = name + "_library",
        testonly = True,
        srcs = [mutated],
        copts = ["-Wno-error"],
        deps = [
            "//services/manifest/caches:cache_evictor",
            "//services/manifest/catalog:registry_catalog",
            "//services/manifest/gc:clock_guard",
            "//services/manifest/gc:collector",
            "//services/manifest/gc:store_binding",
        ],
        alwayslink = True,
    )
    native.cc_test(
        name = name + "_test",
        size = "large",
        args = ["--expect-violation"],
        deps = [
            ":" + name + "_library",
            "//tests/simulation:simulation_main",
        ],
    )
