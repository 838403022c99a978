#include "services/blob/stored_object_access.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/core/files/backup_name.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// Before every key of a value, behind every key of a file.
constexpr absl::string_view kBehindFiles = "k";

absl::Status OtherSize(const StorageKey& key, uint64_t found, uint64_t expected) {
  return absl::DataLossError(
      absl::StrCat("object ", key.ToString(), " holds ", found, " bytes, where its record says ", expected));
}

// bytes_per_second: 0: as many as there are.
absl::Duration TimeOf(uint64_t bytes, uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return absl::ZeroDuration();
  return absl::Seconds(static_cast<double>(bytes) / static_cast<double>(bytes_per_second));
}

}  // namespace

ObjectTier& StoredObjectAccess::TierOf(const StorageKey& key) const {
  return key.tier() == StorageTier::kFile ? *parts_.files : *parts_.values;
}

absl::Status StoredObjectAccess::Check(const StorageKey& key, uint64_t size_bytes) {
  ASSIGN_OR_RETURN(const OpenObject object, TierOf(key).Open(key));
  return object.size_bytes == size_bytes ? absl::OkStatus() : OtherSize(key, object.size_bytes, size_bytes);
}

void StoredObjectAccess::StopVerifying() { stop_verifying_.Stop(); }

absl::Status StoredObjectAccess::Verify(const Blob& blob, uint64_t bytes_per_second) {
  const StorageKey& key = blob.storage_key;
  ASSIGN_OR_RETURN(const OpenObject object, TierOf(key).Open(key));
  if (object.size_bytes != blob.size_bytes) return OtherSize(key, object.size_bytes, blob.size_bytes);
  const auto start = std::chrono::steady_clock::now();
  Digester digester(blob.digest.algorithm());
  bool stopped = false;
  RETURN_IF_ERROR(TierOf(key).ReadFromDisk(key, [&](absl::string_view bytes) {
    digester.Update(bytes);
    const absl::Duration taken = absl::FromChrono(std::chrono::steady_clock::now() - start);
    stopped = stop_verifying_.WaitFor(TimeOf(digester.length_bytes(), bytes_per_second) - taken);
    return !stopped;
  }));
  if (stopped) return absl::CancelledError("the process is about to end");
  const Digest found = digester.Current();
  if (parts_.verified != nullptr && key.tier() == StorageTier::kFile) {
    parts_.verified->Enter(key, object.version, blob.digest, found == blob.digest);
  }
  if (found == blob.digest) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("object ", key.ToString(), " has the digest ", found.ToString(), ", not ", blob.digest.ToString()));
}

absl::Status StoredObjectAccess::Delete(const StorageKey& key) {
  RETURN_IF_ERROR(parts_.gate->Check());
  return TierOf(key).Delete(key);
}

absl::Status StoredObjectAccess::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(parts_.gate->Check());
  return TierOf(key).Quarantine(key);
}

absl::StatusOr<StoredObjectPage> StoredObjectAccess::ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                                   size_t limit) {
  limit = std::max<size_t>(limit, 1);
  const bool in_files = start_after < kBehindFiles;
  ASSIGN_OR_RETURN(const ObjectList list, (in_files ? parts_.files : parts_.values)->List(start_after, limit));
  const absl::Time youngest = parts_.clock->Now() - age;
  std::vector<StorageKey> keys;
  StoredObjectPage page;
  for (const ListedObject& object : list.objects) {
    if (object.written_at.has_value() && *object.written_at > youngest) continue;
    keys.push_back(object.key);
    page.objects.push_back({.storage_key = object.key, .size_bytes = object.size_bytes});
  }
  // After the listing: a session is there before its object.
  ASSIGN_OR_RETURN(const std::vector<bool> claimed, parts_.sessions->Claim(keys));
  size_t kept = 0;
  for (size_t i = 0; i < claimed.size(); ++i) {
    if (!claimed[i]) std::swap(page.objects[kept++], page.objects[i]);
  }
  page.objects.erase(page.objects.begin() + static_cast<std::ptrdiff_t>(kept), page.objects.end());
  if (list.more && !list.objects.empty()) {
    page.next = list.objects.back().key.ToString();
  } else if (in_files) {
    page.next = std::string(kBehindFiles);
  }
  return page;
}

absl::StatusOr<std::vector<Blob>> StoredObjectAccess::ListAbandoned(size_t limit) {
  return parts_.sessions->ListAbandoned(limit);
}

absl::Status StoredObjectAccess::ForgetAbandoned(const StorageKey& key) {
  return parts_.sessions->ForgetAbandoned(key);
}

absl::StatusOr<ObjectSnapshot> StoredObjectAccess::Snapshot(const std::string& name) {
  RETURN_IF_ERROR(CheckBackupName(name));
  if (!parts_.snapshot) return absl::UnimplementedError("this store cannot be copied");
  return parts_.snapshot(name);
}

}  // namespace entrepot::blob
