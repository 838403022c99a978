#include <algorithm>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "services/core/digester.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::DigestAlgorithm;
using entrepot::Digester;
using entrepot::DigesterState;

namespace {

uint64_t TakeNumber(absl::string_view* input) {
  uint64_t number = 0;
  const size_t size = std::min(input->size(), sizeof(number));
  std::memcpy(&number, input->data(), size);
  input->remove_prefix(size);
  return number;
}

// An algorithm, a count of words, a length, the words, and the tail.
DigesterState MakeState(absl::string_view input) {
  DigesterState state;
  const uint64_t head = TakeNumber(&input);
  state.algorithm = (head & 1) != 0 ? DigestAlgorithm::kSha512 : DigestAlgorithm::kSha256;
  state.length_bytes = TakeNumber(&input);
  const size_t word_count = (head & 2) != 0 ? (head >> 2) % 16 : 8;
  for (size_t i = 0; i < word_count; ++i) state.words.push_back(TakeNumber(&input));
  state.tail = std::string(input);
  return state;
}

}  // namespace

FUZZ_TARGET(input) {
  const DigesterState state = MakeState(input);
  auto digester = Digester::Restore(state);
  if (!digester.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(digester.status()));
    entrepot::fuzz::CheckMessage(digester.status());
    return;
  }
  FUZZ_CHECK(digester->Save() == state);
  digester->Update(input);
  FUZZ_CHECK(digester->length_bytes() == state.length_bytes + input.size());
  auto copy = Digester::Restore(digester->Save());
  FUZZ_CHECK(copy.ok() && copy->Current() == digester->Current());
}
