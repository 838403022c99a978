#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/http/http1/chunk_decoder.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::gateway::http::ChunkDecoder;

namespace {

struct Decoded {
  bool ok = true;
  bool done = false;
  size_t consumed = 0;
  std::string body;
};

Decoded Decode(absl::string_view coded, size_t input_step, size_t output_step) {
  ChunkDecoder decoder;
  Decoded decoded;
  std::string output(output_step, '\0');
  while (!decoder.done() && decoded.consumed < coded.size()) {
    // A copy, so that the sanitizer detects reads beyond its end.
    const std::string input(coded.substr(decoded.consumed, input_step));
    const auto progress = decoder.Decode(input.data(), input.size(), output.data(), output.size());
    if (!progress.ok()) {
      FUZZ_CHECK(absl::IsInvalidArgument(progress.status()));
      entrepot::fuzz::CheckMessage(progress.status());
      decoded.ok = false;
      return decoded;
    }
    FUZZ_CHECK(progress->consumed <= input.size() && progress->produced <= output.size());
    FUZZ_CHECK(progress->produced <= progress->consumed);
    FUZZ_CHECK(progress->consumed > 0);
    decoded.consumed += progress->consumed;
    decoded.body.append(output, 0, progress->produced);
  }
  decoded.done = decoder.done();
  return decoded;
}

std::string Encode(absl::string_view body, size_t chunk_size) {
  std::string coded;
  for (; !body.empty(); body.remove_prefix(std::min(chunk_size, body.size()))) {
    const absl::string_view chunk = body.substr(0, chunk_size);
    absl::StrAppend(&coded, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
  }
  return coded + "0\r\n\r\n";
}

}  // namespace

// The input: two bytes with the sizes of each read and write, then the coded body.
FUZZ_TARGET(input) {
  if (input.size() < 2) return;
  const size_t input_step = 1 + static_cast<unsigned char>(input[0]) % 32;
  const size_t output_step = 1 + static_cast<unsigned char>(input[1]) % 32;
  const absl::string_view coded = input.substr(2);

  const Decoded whole = Decode(coded, coded.size() + 1, coded.size() + 1);
  const Decoded stepwise = Decode(coded, input_step, output_step);
  FUZZ_CHECK(stepwise.ok == whole.ok);
  if (whole.ok) {
    FUZZ_CHECK(stepwise.done == whole.done && stepwise.consumed == whole.consumed && stepwise.body == whole.body);
  }

  const std::string encoded = Encode(coded, input_step) + "next";
  const Decoded again = Decode(encoded, output_step, input_step);
  FUZZ_CHECK(again.ok && again.done);
  FUZZ_CHECK(again.body == coded);
  FUZZ_CHECK(again.consumed == encoded.size() - 4);
}
