"""A simulation of the registry with a mistake in it."""

def mutation_test(name, source):
    """A test that passes where the simulation finds the mistake of NAME.mutation.

    Args:
      name: of the mutation.
      source: the file that it is of, a label.
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

    # Linked before the library that it takes the place of: its symbols are there by the time that the linker looks for
    # them in that one, whose object therefore stays out. Were it taken in as well, every symbol would be there twice.
    native.cc_library(
        name = name + "_library",
        testonly = True,
        srcs = [mutated],
        copts = ["-Wno-error"],
        deps = [
            "//services/manifest/gc:collector",
            "//services/manifest/catalog:registry_catalog",
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
