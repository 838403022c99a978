#include "tests/fuzz/error_properties.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "tests/fuzz/fuzz_target.h"

namespace entrepot::fuzz {
namespace {

constexpr size_t kMessageBytesMax = 1000;

}  // namespace

void CheckMessage(const absl::Status& status) {
  const absl::string_view message = status.message();
  FUZZ_CHECK(!message.empty());
  FUZZ_CHECK(message.size() <= kMessageBytesMax);
  FUZZ_CHECK(std::all_of(message.begin(), message.end(),
                         [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); }));
}

void CheckOciError(const absl::Status& status, OciErrorCode code) {
  FUZZ_CHECK(GetOciErrorCode(status) == code);
  FUZZ_CHECK(status.code() == GetOciErrorInfo(code).status_code);
  CheckMessage(status);
}

}  // namespace entrepot::fuzz
