#include "services/blob/objects/kv_object_store.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/blob/objects/blob_keys.h"
#include "services/core/failpoint/failpoint.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kListMax = 64;

}  // namespace

StorageKey KvObjectStore::KeyOf(const UploadId& id) { return *StorageKey::Parse(absl::StrCat("k", id.ToString())); }

void KvObjectStore::Put(const StorageKey& key, absl::string_view bytes, kv::KvTransaction& transaction) {
  transaction.Put(ObjectKey(key), bytes);
}

absl::StatusOr<OpenObject> KvObjectStore::OpenFrom(kv::ReadTier tier, const StorageKey& key) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::optional<std::string>> value = kv_.reader(tier).Get(ObjectKey(key));
  // The caller opens the object again, which is counted.
  if (kv::IsNotInMemory(value.status())) return value.status();
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kOpen, value.ok(), absl::Now() - start);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
  const uint64_t size = (*value)->size();
  return OpenObject{.content = **std::move(value), .size_bytes = size};
}

absl::Status KvObjectStore::Delete(const StorageKey& key) {
  const absl::Time start = absl::Now();
  absl::Status status = kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        transaction.Delete(ObjectKey(key));
        ASSIGN_OR_RETURN(const std::optional<std::string> quarantined, transaction.Get(QuarantineKey(key)));
        if (quarantined.has_value()) transaction.Delete(QuarantineKey(key));
        return absl::OkStatus();
      },
      durability_);
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kDelete, status.ok(), absl::Now() - start);
  RETURN_IF_ERROR(status);
  return Failpoint("blob.delete.recorded");
}

absl::Status KvObjectStore::ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) {
  ASSIGN_OR_RETURN(const OpenObject object, Open(key));
  take(std::get<std::string>(object.content));
  return absl::OkStatus();
}

absl::Status KvObjectStore::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(kv_.Transact({{ObjectKey(key)}}, [&](kv::KvTransaction& transaction) -> absl::Status {
    const absl::StatusOr<std::optional<std::string>> bytes = transaction.Get(ObjectKey(key));
    if (!bytes.ok() && !absl::IsDataLoss(bytes.status())) return bytes.status();
    if (bytes.ok() && !bytes->has_value()) return absl::OkStatus();
    if (bytes.ok()) transaction.Put(QuarantineKey(key), **bytes);
    transaction.Delete(ObjectKey(key));
    return absl::OkStatus();
  }));
  return Failpoint("blob.quarantine.recorded");
}

absl::StatusOr<ObjectList> KvObjectStore::List(absl::string_view start_after, size_t limit) {
  // A scan returns the values too, each up to 64 KiB.
  limit = std::min(limit, kListMax);
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> entries,
                   kv_.Scan({.prefix = std::string(kObjectPrefix),
                             .start_after = start_after.empty() ? "" : absl::StrCat(kObjectPrefix, start_after),
                             .limit = limit}));
  ObjectList list{.objects = {}, .more = entries.size() == limit};
  list.objects.reserve(entries.size());
  for (const kv::KeyValue& entry : entries) {
    ASSIGN_OR_RETURN(StorageKey key, ParseObjectKey(entry.key));
    list.objects.push_back({.key = std::move(key), .size_bytes = entry.value.size(), .written_at = {}});
  }
  return list;
}

}  // namespace entrepot::blob
