#include "services/status/quoted_input.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace entrepot {
namespace {

constexpr size_t kShownBytesMax = 64;

}  // namespace

std::string QuotedInput(absl::string_view input) {
  const absl::string_view cut = input.size() > kShownBytesMax ? "..." : "";
  return absl::StrCat("\"", absl::CHexEscape(input.substr(0, kShownBytesMax)), cut, "\"");
}

}  // namespace entrepot
