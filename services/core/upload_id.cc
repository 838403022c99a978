#include "services/core/upload_id.h"

#include <cstddef>

#include "services/core/text/lower_hex.h"
#include "services/status/oci_error.h"

namespace entrepot {
namespace {

constexpr size_t kRandomBytes = 16;

}  // namespace

UploadId UploadId::Random() { return UploadId(RandomLowerHex(kRandomBytes)); }

absl::StatusOr<UploadId> UploadId::Parse(absl::string_view text) {
  if (text.size() != 2 * kRandomBytes || !IsLowerHex(text)) {
    return OciError(OciErrorCode::kBlobUploadUnknown, "unknown upload session");
  }
  return UploadId(std::string(text));
}

}  // namespace entrepot
