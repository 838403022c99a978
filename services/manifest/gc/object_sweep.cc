#include "services/manifest/gc/object_sweep.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::DeleteIntentRecord;

// Intents that one synced transaction confirms, and one removes.
constexpr size_t kBatch = 128;
constexpr size_t kPage = 1024;

std::vector<kv::Lock> LocksOn(const std::vector<StorageKey>& storage_keys) {
  CatalogLocks locks;
  for (const StorageKey& key : storage_keys) locks.Object(key, LockMode::kExclusive);
  return std::move(locks).Take();
}

// What is there under each, unless it is a suspect.
absl::StatusOr<std::vector<std::optional<DeleteIntentRecord>>> ReadIntents(kv::KvReader& kv,
                                                                           const std::vector<StorageKey>& keys) {
  std::vector<std::string> wanted;
  for (const StorageKey& key : keys) wanted.push_back(keys::DeleteIntent(key));
  ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, kv.MultiGet(wanted));
  std::vector<std::optional<DeleteIntentRecord>> intents(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!found[i].has_value()) continue;
    ASSIGN_OR_RETURN(intents[i], ParseRecord<DeleteIntentRecord>(wanted[i], *found[i]));
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
    std::vector<StorageKey> doomed;
    for (const kv::KeyValue& entry : page) {
      absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
      const absl::StatusOr<DeleteIntentRecord> intent = ParseRecord<DeleteIntentRecord>(entry.key, entry.value);
      if (!key.ok() || !intent.ok()) {
        if (run->Failed(key.ok() ? intent.status() : key.status())) return absl::OkStatus();
        continue;
      }
      if (!intent->suspect()) doomed.push_back(*std::move(key->storage_key));
    }
    intents += doomed.size();
    // So that several collectors meet at few of them.
    PutInRandomOrder(*random_, &doomed);
    RETURN_IF_ERROR(Sweep(doomed, run));
  }
  const uint64_t swept = run->report().swept() - swept_before;
  metrics_->SetIntents(intents - std::min(intents, swept));
  return absl::OkStatus();
}

absl::Status ObjectSweep::SweepBatch(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const {
  ASSIGN_OR_RETURN(const std::vector<Doomed> doomed, Confirm(storage_keys));
  std::vector<Doomed> deleted;
  absl::Status failure;
  for (const Doomed& object : doomed) {
    {
      const DeletionGate::Passage passage(gate_);
      if (!passage.is_open()) break;
      absl::Status status = objects_->Delete(object.storage_key);
      if (status.ok()) status = Failpoint("manifest.collector.object_deleted");
      if (!status.ok()) {
        if (run->Failed(status)) failure = status;
        if (!failure.ok()) break;
        continue;
      }
    }
    run->Succeeded();
    deleted.push_back(object);
    if (!run->Go(1, object.size_bytes)) break;
  }
  RETURN_IF_ERROR(RemoveIntents(deleted, run));
  return failure;
}

absl::StatusOr<std::vector<ObjectSweep::Doomed>> ObjectSweep::Confirm(
    const std::vector<StorageKey>& storage_keys) const {
  std::vector<Doomed> doomed;
  RETURN_IF_ERROR(kv_->Transact(
      LocksOn(storage_keys),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        doomed.clear();
        ASSIGN_OR_RETURN(const auto intents, ReadIntents(transaction, storage_keys));
        for (size_t i = 0; i < intents.size(); ++i) {
          if (!intents[i].has_value()) continue;
          // Intents are not synced when they are written; this commit, which is, makes all of them durable.
          if (doomed.empty()) WriteRecord(transaction, keys::DeleteIntent(storage_keys[i]), *intents[i]);
          doomed.push_back({.storage_key = storage_keys[i], .size_bytes = intents[i]->size_bytes()});
        }
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  return doomed;
}

absl::Status ObjectSweep::RemoveIntents(const std::vector<Doomed>& swept, CollectionRun* run) const {
  if (swept.empty()) return absl::OkStatus();
  std::vector<StorageKey> storage_keys;
  for (const Doomed& object : swept) storage_keys.push_back(object.storage_key);
  uint64_t removed = 0;
  uint64_t bytes = 0;
  RETURN_IF_ERROR(kv_->Transact(
      LocksOn(storage_keys),
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
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  // What another collector has removed it counts.
  run->report().set_swept(run->report().swept() + removed);
  run->report().set_swept_bytes(run->report().swept_bytes() + bytes);
  metrics_->CountReclaimed(bytes);
  return Failpoint("manifest.collector.intent_removed");
}

}  // namespace entrepot::manifest
