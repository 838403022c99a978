#include "services/core/media_type.h"

#include <string>

#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::MediaType;
using entrepot::OciErrorCode;

FUZZ_TARGET(input) {
  const auto type = MediaType::ParseHeader(input);
  const auto whole = MediaType::Parse(input);
  FUZZ_CHECK(!whole.ok() || (type.ok() && *whole == *type && whole->ToString() == input));
  if (!type.ok()) {
    entrepot::fuzz::CheckOciError(type.status(), OciErrorCode::kManifestInvalid);
    entrepot::fuzz::CheckOciError(whole.status(), OciErrorCode::kManifestInvalid);
    return;
  }
  const absl::string_view text = type->ToString();
  FUZZ_CHECK(text.size() <= 127 + 1 + 127);
  FUZZ_CHECK(input.find(text) != absl::string_view::npos);
  // The text goes into a header field and must not end it.
  FUZZ_CHECK(text.find_first_of(absl::string_view("\r\n\0 ;,\"", 7)) == absl::string_view::npos);
  const auto again = MediaType::Parse(text);
  FUZZ_CHECK(again.ok() && *again == *type);
}
