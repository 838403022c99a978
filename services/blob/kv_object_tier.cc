#include "services/blob/kv_object_tier.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/blob/blob_keys.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {

StorageKey KvObjectTier::KeyOf(const UploadId& id) { return *StorageKey::Parse(absl::StrCat("k", id.ToString())); }

void KvObjectTier::Put(const StorageKey& key, absl::string_view bytes, kv::KvTransaction& transaction) {
  transaction.Put(ObjectKey(key), bytes);
}

absl::StatusOr<OpenObject> KvObjectTier::Open(const StorageKey& key) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::optional<std::string>> value = kv_.Get(ObjectKey(key));
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kOpen, value.ok(), absl::Now() - start);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
  const uint64_t size = (*value)->size();
  return OpenObject{.content = **std::move(value), .size_bytes = size};
}

absl::Status KvObjectTier::Delete(const StorageKey& key) {
  const absl::Time start = absl::Now();
  absl::Status status = kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        transaction.Delete(ObjectKey(key));
        return absl::OkStatus();
      },
      durability_);
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kDelete, status.ok(), absl::Now() - start);
  return status;
}

}  // namespace entrepot::blob
