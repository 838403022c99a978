#include "services/blob/objects/kv_object_store.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/blob/objects/blob_keys.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/stopwatch.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kListMax = 64;
// A count reads the values too.
constexpr uint64_t kCountedBytesMax = 4 << 20;

}  // namespace

StorageKey KvObjectStore::KeyOf(const UploadId& id) { return *StorageKey::Parse(absl::StrCat("k", id.ToString())); }

void KvObjectStore::Put(const StorageKey& key, absl::string_view bytes, kv::KvTransaction& transaction) {
  transaction.Put(ObjectKey(key), bytes);
}

absl::StatusOr<OpenObject> KvObjectStore::OpenFrom(kv::ReadTier tier, const StorageKey& key) {
  const Stopwatch stopwatch;
  absl::StatusOr<std::optional<std::string>> value = kv_.reader(tier).Get(ObjectKey(key));
  // The caller opens the object again, which is counted.
  if (kv::IsNotInMemory(value.status())) return value.status();
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kOpen, value.ok(), stopwatch.Elapsed());
  if (!value.ok()) return value.status();
  if (!value->has_value()) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
  const uint64_t size = (*value)->size();
  return OpenObject{.content = **std::move(value), .size_bytes = size};
}

std::vector<absl::Status> KvObjectStore::DeleteAll(const std::vector<StorageKey>& keys) {
  const Stopwatch stopwatch;
  absl::Status status = keys.empty() ? absl::OkStatus() : DeleteInOneTransaction(keys);
  const absl::Duration each = stopwatch.Elapsed() / static_cast<double>(std::max<size_t>(keys.size(), 1));
  for (size_t i = 0; i < keys.size(); ++i) {
    metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kDelete, status.ok(), each);
  }
  if (status.ok()) status = Failpoint("blob.delete.recorded");
  return std::vector<absl::Status>(keys.size(), status);
}

absl::Status KvObjectStore::DeleteInOneTransaction(const std::vector<StorageKey>& keys) {
  std::vector<std::string> quarantine_keys;
  for (const StorageKey& key : keys) quarantine_keys.push_back(QuarantineKey(key));
  return kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        for (const StorageKey& key : keys) transaction.Delete(ObjectKey(key));
        ASSIGN_OR_RETURN(const auto quarantined, transaction.MultiGet(quarantine_keys));
        for (size_t i = 0; i < keys.size(); ++i) {
          if (quarantined[i].has_value()) transaction.Delete(quarantine_keys[i]);
        }
        return absl::OkStatus();
      },
      durability_);
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

absl::StatusOr<Waiting> KvObjectStore::CountQuarantined(size_t limit) {
  Waiting quarantined;
  kv::ScanOptions scan{.prefix = std::string(kQuarantinePrefix), .start_after = "", .limit = kListMax};
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> entries, kv_.Scan(scan));
    for (const kv::KeyValue& entry : entries) {
      quarantined.more = quarantined.count == limit || quarantined.bytes >= kCountedBytesMax;
      if (quarantined.more) return quarantined;
      quarantined.Add(entry.value.size());
    }
    if (entries.size() < scan.limit) return quarantined;
    scan.start_after = entries.back().key;
  }
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
