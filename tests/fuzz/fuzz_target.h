#ifndef ENTREPOT_TESTS_FUZZ_FUZZ_TARGET_H_
#define ENTREPOT_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

// Defines the function that libFuzzer calls: FUZZ_TARGET(input) { ... }, where input is an absl::string_view.
#define FUZZ_TARGET(input)                                                      \
  static void FuzzOneInput(absl::string_view input);                            \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {     \
    FuzzOneInput(absl::string_view(reinterpret_cast<const char*>(data), size)); \
    return 0;                                                                   \
  }                                                                             \
  static void FuzzOneInput(absl::string_view input)

// Ends the run and saves the input if the property does not hold.
#define FUZZ_CHECK(property)                                                           \
  do {                                                                                 \
    if (property) break;                                                               \
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
    std::abort();                                                                      \
  } while (false)

#endif  // ENTREPOT_TESTS_FUZZ_FUZZ_TARGET_H_
