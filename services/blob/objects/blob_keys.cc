#include "services/blob/objects/blob_keys.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/status/quoted_input.h"

namespace entrepot::blob {

std::string UploadKey(const UploadId& id) { return absl::StrCat(kUploadPrefix, id.ToString()); }

std::string ObjectKey(const StorageKey& key) { return absl::StrCat(kObjectPrefix, key.ToString()); }

std::string QuarantineKey(const StorageKey& key) { return absl::StrCat(kQuarantinePrefix, key.ToString()); }

absl::StatusOr<UploadId> ParseUploadKey(absl::string_view key) {
  absl::string_view text = key;
  if (absl::ConsumePrefix(&text, kUploadPrefix)) {
    if (absl::StatusOr<UploadId> id = UploadId::Parse(text); id.ok()) return id;
  }
  return absl::DataLossError(absl::StrCat("not the key of an upload session: ", QuotedInput(key)));
}

absl::StatusOr<StorageKey> ParseObjectKey(absl::string_view key) {
  absl::string_view text = key;
  if (absl::ConsumePrefix(&text, kObjectPrefix)) {
    if (absl::StatusOr<StorageKey> parsed = StorageKey::Parse(text); parsed.ok()) return parsed;
  }
  return absl::DataLossError(absl::StrCat("not the key of an object: ", QuotedInput(key)));
}

UploadId UploadOf(const StorageKey& key) { return *UploadId::Parse(absl::string_view(key.ToString()).substr(1)); }

}  // namespace entrepot::blob
