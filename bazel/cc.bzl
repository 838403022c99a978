"""The two rules that almost every target here is made with. They name what every target depends on, so that a BUILD
file names only what is particular to a target."""

_EVERY_LIBRARY = [
    "//services/status:status_macros",
    "//third_party:absl",
]

# Half of all sources are tests. So they compile a quarter faster, and what they test is as optimized as ever.
_TEST_COPTS = ["-O0", "-U_FORTIFY_SOURCE"]

_EVERY_TEST = _EVERY_LIBRARY + [
    "//services/status:status_matchers",
    "//third_party:gtest_main",
]

def _with(deps, more):
    return deps + [dep for dep in more if dep not in deps]

def entrepot_cc_library(
        name,
        srcs = None,
        hdrs = None,
        deps = [],
        test = False,
        test_deps = [],
        test_size = "small",
        test_data = [],
        **kwargs):
    """The library of <name>.h and, if the file exists, <name>.cc; and its unit test, <name>_test.cc.

    Args:
      name: The name of the target and of its files.
      srcs: Sources other than <name>.cc.
      hdrs: Headers other than <name>.h.
      deps: Dependencies beside those that every library has.
      test: Whether there is a <name>_test.cc. `test_deps` implies it.
      test_deps: What the test depends on beside the library and the library's own dependencies.
      test_size: The test's size.
      test_data: The test's data.
      **kwargs: Passed to cc_library.
    """
    native.cc_library(
        name = name,
        srcs = native.glob([name + ".cc"]) if srcs == None else srcs,
        hdrs = [name + ".h"] if hdrs == None else hdrs,
        deps = _with(deps, _EVERY_LIBRARY),
        **kwargs
    )
    if test or test_deps:
        entrepot_cc_test(
            name = name + "_test",
            size = test_size,
            data = test_data,
            deps = [":" + name] + deps + [dep for dep in test_deps if dep not in deps],
        )

def entrepot_cc_test(name, size = "small", srcs = None, deps = [], **kwargs):
    """The unit test <name>.cc.

    Args:
      name: The name of the target and of its file.
      size: The test's size.
      srcs: Sources other than <name>.cc.
      deps: Dependencies beside those that every test has.
      **kwargs: Passed to cc_test.
    """
    native.cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = _TEST_COPTS,
        deps = _with(deps, _EVERY_TEST),
        **kwargs
    )
