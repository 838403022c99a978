#include "services/core/digest.h"

#include <string>
#include <variant>

#include "absl/strings/escaping.h"
#include "services/core/reference.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::Digest;
using entrepot::DigestAlgorithmName;
using entrepot::OciErrorCode;

FUZZ_TARGET(input) {
  const auto digest = Digest::Parse(input);
  if (!digest.ok()) {
    entrepot::fuzz::CheckOciError(digest.status(), OciErrorCode::kDigestInvalid);
    return;
  }
  // Only the canonical form is accepted, so a parsed digest gives the same text.
  FUZZ_CHECK(digest->ToString() == input);
  FUZZ_CHECK(Digest::FromBytes(digest->algorithm(), absl::HexStringToBytes(digest->hex())) == *digest);

  const auto reference = entrepot::ParseReference(input);
  FUZZ_CHECK(reference.ok() && std::holds_alternative<Digest>(*reference));
  FUZZ_CHECK(entrepot::ReferenceToString(*reference) == input);
}
