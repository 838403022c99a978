#include "services/manifest/gc/object_sweep.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/object_removals.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::DeleteIntentRecord;

// The number of intents that one synced transaction confirms, and that one transaction removes.
constexpr size_t kBatch = 128;
constexpr size_t kPage = 1024;
// The work that is assumed while more pages follow: their number is not known.
constexpr uint64_t kManyIntents = 100'000;
// Large objects are deleted in smaller batches, so that the pace can spread the work.
constexpr uint64_t kBytesAtOnce = 256 << 20;

std::vector<kv::Lock> LocksOn(const std::vector<StorageKey>& storage_keys) {
  CatalogLocks locks;
  for (const StorageKey& key : storage_keys) locks.Object(key, LockMode::kExclusive);
  return std::move(locks).Take();
}

// The deletable intent of each storage key; nullopt if there is none, or if it is a suspect.
absl::StatusOr<std::vector<std::optional<DeleteIntentRecord>>> ReadIntents(kv::KvReader& kv,
                                                                           const std::vector<StorageKey>& keys) {
  std::vector<std::string> wanted;
  for (const StorageKey& key : keys) wanted.push_back(keys::DeleteIntent(key));
  ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, kv.MultiGet(wanted));
  std::vector<std::optional<DeleteIntentRecord>> intents(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!found[i].has_value()) continue;
    ASSIGN_OR_RETURN(intents[i], kv::ParseRecord<DeleteIntentRecord>(wanted[i], *found[i]));
    if (intents[i]->suspect()) intents[i].reset();
  }
  return intents;
}

}  // namespace

absl::Status ObjectSweep::Sweep(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const {
  for (size_t begin = 0; begin < storage_keys.size() && !run->stopped(); begin += kBatch) {
    const size_t end = std::min(storage_keys.size(), begin + kBatch);
    RETURN_IF_ERROR(SweepBatch({storage_keys.begin() + begin, storage_keys.begin() + end}, run));
  }
  return absl::OkStatus();
}

absl::Status ObjectSweep::SweepAll(CollectionRun* run) const {
  kv::ScanOptions scan{.prefix = keys::DeleteIntents(), .start_after = "", .limit = kPage};
  uint64_t intents = 0;
  const uint64_t swept_before = run->report().swept();
  for (bool at_end = false; !at_end && !run->stopped();) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv_->Scan(scan));
    at_end = page.size() < scan.limit;
    if (!page.empty()) scan.start_after = page.back().key;
    std::vector<StorageKey> deletable;
    for (const kv::KeyValue& entry : page) {
      absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
      const absl::StatusOr<DeleteIntentRecord> intent = kv::ParseRecord<DeleteIntentRecord>(entry.key, entry.value);
      if (!key.ok() || !intent.ok()) {
        run->NoteFailure(key.ok() ? intent.status() : key.status());
        continue;
      }
      if (!intent->suspect()) deletable.push_back(*std::move(key->storage_key));
    }
    intents += deletable.size();
    backlog_->Set(at_end ? deletable.size() : kManyIntents);
    // Collectors that run at once then rarely sweep the same objects.
    PutInRandomOrder(*random_, &deletable);
    RETURN_IF_ERROR(Sweep(deletable, run));
  }
  const uint64_t swept = run->report().swept() - swept_before;
  metrics_->SetIntents(intents - std::min(intents, swept));
  return absl::OkStatus();
}

absl::Status ObjectSweep::SweepBatch(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const {
  ASSIGN_OR_RETURN(const std::vector<Deletable> deletable, Confirm(storage_keys));
  RETURN_IF_ERROR(Failpoint("manifest.collector.confirmed"));
  std::vector<Deletable> part;
  uint64_t bytes = 0;
  for (size_t i = 0; i < deletable.size() && !run->stopped(); ++i) {
    part.push_back(deletable[i]);
    bytes += deletable[i].size_bytes;
    if (i + 1 < deletable.size() && bytes < kBytesAtOnce) continue;
    RETURN_IF_ERROR(DeleteObjects(part, run));
    run->KeepPace(part.size(), bytes);
    part.clear();
    bytes = 0;
  }
  return absl::OkStatus();
}

absl::Status ObjectSweep::DeleteObjects(const std::vector<Deletable>& deletable, CollectionRun* run) const {
  std::vector<StorageKey> keys;
  for (const Deletable& object : deletable) keys.push_back(object.storage_key);
  std::vector<absl::Status> statuses = objects_->DeleteAll(keys);
  std::vector<Deletable> deleted;
  for (size_t i = 0; i < deletable.size(); ++i) {
    if (statuses[i].ok()) statuses[i] = Failpoint("manifest.collector.object_deleted");
    if (statuses[i].ok()) {
      deleted.push_back(deletable[i]);
    } else {
      metrics_->CountFailedObject();
      run->NoteFailure(statuses[i]);
    }
  }
  RETURN_IF_ERROR(RemoveIntents(deleted, run));
  // If the blob service does not answer, it would fail for all others too. Otherwise only these objects are broken.
  return deleted.empty() ? objects_->ReadOwner().status() : absl::OkStatus();
}

absl::StatusOr<std::vector<ObjectSweep::Deletable>> ObjectSweep::Confirm(
    const std::vector<StorageKey>& storage_keys) const {
  std::vector<Deletable> deletable;
  RETURN_IF_ERROR(pause_->RemoveEnded());
  std::vector<kv::Lock> locks = LocksOn(storage_keys);
  locks.push_back(DeletionPause::LockToAsk());
  RETURN_IF_ERROR(kv_->Transact(
      std::move(locks),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        deletable.clear();
        ASSIGN_OR_RETURN(const bool paused, DeletionPause::InForce(transaction));
        if (paused) return absl::OkStatus();
        ASSIGN_OR_RETURN(const auto intents, ReadIntents(transaction, storage_keys));
        for (size_t i = 0; i < intents.size(); ++i) {
          if (!intents[i].has_value()) continue;
          // Intents are not synced when they are written. This commit is synced, and makes all earlier ones durable.
          if (deletable.empty()) kv::WriteRecord(transaction, keys::DeleteIntent(storage_keys[i]), *intents[i]);
          deletable.push_back({.storage_key = storage_keys[i], .size_bytes = intents[i]->size_bytes()});
        }
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  return deletable;
}

absl::Status ObjectSweep::RemoveIntents(const std::vector<Deletable>& swept, CollectionRun* run) const {
  if (swept.empty()) return absl::OkStatus();
  std::vector<StorageKey> storage_keys;
  for (const Deletable& object : swept) storage_keys.push_back(object.storage_key);
  uint64_t removed = 0;
  uint64_t bytes = 0;
  std::vector<kv::Lock> locks = LocksOn(storage_keys);
  locks.push_back(ObjectRemovalsLock());
  RETURN_IF_ERROR(kv_->Transact(
      std::move(locks),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        removed = 0;
        bytes = 0;
        ASSIGN_OR_RETURN(const auto intents, ReadIntents(transaction, storage_keys));
        for (size_t i = 0; i < intents.size(); ++i) {
          if (!intents[i].has_value()) continue;
          transaction.Delete(keys::DeleteIntent(storage_keys[i]));
          ++removed;
          bytes += intents[i]->size_bytes();
        }
        return removed != 0 ? NoteObjectRemoval(transaction) : absl::OkStatus();
      },
      kv::Durability::kBuffered));
  // Intents that another collector removed are counted by that collector.
  run->report().set_swept(run->report().swept() + removed);
  run->report().set_swept_bytes(run->report().swept_bytes() + bytes);
  metrics_->CountReclaimed(bytes);
  return Failpoint("manifest.collector.intent_removed");
}

}  // namespace entrepot::manifest
