#include "services/manifest/gc/orphan_quarantine.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/object_removals.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::BlobRecord;
using storage::v1::DeleteIntentRecord;

constexpr size_t kObjectsAPage = 1000;
constexpr size_t kMarksATransaction = 100;

}  // namespace

absl::Status OrphanQuarantine::Run(bool any_share, CollectionRun* run) const {
  std::string position;
  uint64_t earlier = 0;
  do {
    ASSIGN_OR_RETURN(Keys suspects, ReadSuspects(&position, &earlier, run));
    earlier += suspects.size();
    RETURN_IF_ERROR(UnmarkAndQuarantine(std::move(suspects), run));
  } while (!position.empty() && !run->stopped());
  uint64_t found = 0;
  do {
    uint64_t named = 0;
    ASSIGN_OR_RETURN(Keys orphans, FindOrphans(&position, &named, run));
    found += orphans.size();
    if (!any_share && !orphans.empty()) RETURN_IF_ERROR(CheckShare(earlier, found, named));
    RETURN_IF_ERROR(Mark(&orphans, run));
    RETURN_IF_ERROR(UnmarkAndQuarantine(std::move(orphans), run));
  } while (!position.empty() && !run->stopped());
  if (!run->stopped()) metrics_->SetShareExceeded(false);
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::CheckShare(uint64_t earlier, uint64_t found, uint64_t named) const {
  const uint64_t orphans = earlier + found;
  if (orphans <= kAlwaysAllowed || orphans * 100 <= percent_max_ * (orphans + named)) return absl::OkStatus();
  metrics_->SetShareExceeded(true);
  const std::string taken = earlier == 0 ? ""
                                         : absl::StrCat(", and ", earlier, " have been taken for orphans in the last ",
                                                        absl::FormatDuration(age_));
  return absl::FailedPreconditionError(absl::StrCat(
      found, " objects have no record, beside ", named, " that have one", taken,
      ": more than collector.quarantine_percent_max (", percent_max_, ") allows, so none of these ", found,
      " is quarantined. Are these the records of these objects? If they are, run entrepotctl gc run --any-share"));
}

absl::Status OrphanQuarantine::UnmarkAndQuarantine(Keys suspects, CollectionRun* run) const {
  RETURN_IF_ERROR(UnmarkReferenced(&suspects, run));
  return Quarantine(suspects, run);
}

absl::StatusOr<OrphanQuarantine::Keys> OrphanQuarantine::ReadSuspects(std::string* position, uint64_t* quarantined,
                                                                      CollectionRun* run) const {
  Keys suspects;
  RecordCursor cursor(kv_, keys::DeleteIntents(), *position);
  for (uint64_t read = 1; suspects.size() < kBatch; ++read) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr || (read % kRecordsAnOperation == 0 && !run->KeepPace(1, 0))) {
      position->clear();
      return suspects;
    }
    *position = entry->key;
    ASSIGN_OR_RETURN(const DeleteIntentRecord mark, kv::ParseRecord<DeleteIntentRecord>(entry->key, entry->value));
    if (!mark.suspect()) continue;
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry->key));
    if (!mark.has_quarantined_at()) {
      suspects.insert(key.storage_key->ToString());
    } else if (FromTimestamp(mark.quarantined_at()) + age_ <= clock_->Now()) {
      RETURN_IF_ERROR(ChangeMark(*key.storage_key, [](DeleteIntentRecord*) { return false; }));
    } else {
      ++*quarantined;
    }
  }
  return suspects;
}

absl::StatusOr<OrphanQuarantine::Keys> OrphanQuarantine::FindOrphans(std::string* position, uint64_t* named,
                                                                     CollectionRun* run) const {
  const std::string begin = *position;
  Keys orphans;
  do {
    ASSIGN_OR_RETURN(StoredObjectPage page, objects_->ListUnclaimed(age_, *position, kObjectsAPage));
    for (const StoredObject& object : page.objects) orphans.insert(object.storage_key.ToString());
    *position = std::move(page.next);
    if (!run->KeepPace(1 + page.objects.size() / kRecordsAnOperation, 0)) {
      // The search is not complete: these objects may not be orphans.
      position->clear();
      return Keys();
    }
  } while (!position->empty() && orphans.size() + kObjectsAPage <= kBatch);
  if (orphans.empty()) return orphans;
  RETURN_IF_ERROR(ForEachNamed(
      [&](const std::string& storage_key) {
        ++*named;
        orphans.erase(storage_key);
        return absl::OkStatus();
      },
      run));
  RETURN_IF_ERROR(SubtractIntents(&orphans, run));
  RETURN_IF_ERROR(SubtractSwept(begin, &orphans, run));
  return run->stopped() ? Keys() : std::move(orphans);
}

absl::Status OrphanQuarantine::ForEachNamed(const std::function<absl::Status(const std::string&)>& fn,
                                            CollectionRun* run) const {
  RecordCursor cursor(kv_, keys::Blobs(), "");
  for (uint64_t read = 1;; ++read) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    // If a record cannot be read, any object might be its blob's: no object is touched.
    ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(entry->key, entry->value));
    RETURN_IF_ERROR(fn(record.storage_key()));
    if (read % kRecordsAnOperation == 0 && !run->KeepPace(1, 0)) return absl::OkStatus();
  }
}

absl::Status OrphanQuarantine::SubtractIntents(Keys* suspects, CollectionRun* run) const {
  RecordCursor cursor(kv_, keys::DeleteIntents(), "");
  for (uint64_t read = 1; !suspects->empty(); ++read) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    suspects->erase(entry->key.substr(keys::DeleteIntents().size()));
    if (read % kRecordsAnOperation == 0 && !run->KeepPace(1, 0)) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::SubtractSwept(std::string position, Keys* suspects, CollectionRun* run) const {
  Keys stored;
  while (stored.size() < suspects->size()) {
    ASSIGN_OR_RETURN(StoredObjectPage page, objects_->ListUnclaimed(age_, position, kObjectsAPage));
    for (const StoredObject& object : page.objects) {
      if (const auto found = suspects->find(object.storage_key.ToString()); found != suspects->end()) {
        stored.insert(*found);
      }
    }
    position = std::move(page.next);
    if (position.empty() || !run->KeepPace(1 + page.objects.size() / kRecordsAnOperation, 0)) break;
  }
  *suspects = std::move(stored);
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::Mark(Keys* suspects, CollectionRun* run) const {
  const std::vector<std::string> all(suspects->begin(), suspects->end());
  for (size_t begin = 0; begin < all.size(); begin += kMarksATransaction) {
    const size_t end = std::min(all.size(), begin + kMarksATransaction);
    std::vector<std::string> wanted;
    CatalogLocks locks;
    for (size_t i = begin; i < end; ++i) {
      ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(all[i]));
      wanted.push_back(keys::DeleteIntent(key));
      locks.Object(key, LockMode::kExclusive);
    }
    std::vector<std::string> intended;
    RETURN_IF_ERROR(kv_->Transact(
        std::move(locks).Take(),
        [&](kv::KvTransaction& transaction) -> absl::Status {
          intended.clear();
          DeleteIntentRecord mark;
          mark.set_suspect(true);
          *mark.mutable_created_at() = ToTimestamp(clock_->Now());
          ASSIGN_OR_RETURN(const auto found, transaction.MultiGet(wanted));
          for (size_t i = 0; i < wanted.size(); ++i) {
            if (found[i].has_value()) {
              intended.push_back(all[begin + i]);
            } else {
              kv::WriteRecord(transaction, wanted[i], mark);
            }
          }
          return absl::OkStatus();
        },
        kv::Durability::kBuffered));
    for (const std::string& key : intended) suspects->erase(key);
    RETURN_IF_ERROR(Failpoint("manifest.collector.suspect_marked"));
    if (!run->KeepPace(1, 0)) {
      suspects->clear();
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::UnmarkReferenced(Keys* suspects, CollectionRun* run) const {
  if (suspects->empty()) return absl::OkStatus();
  RETURN_IF_ERROR(ForEachNamed(
      [&](const std::string& named) -> absl::Status {
        if (suspects->erase(named) == 0) return absl::OkStatus();
        ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(named));
        return ChangeMark(key, [](DeleteIntentRecord*) { return false; });
      },
      run));
  // Not all records were read: any suspect might be named.
  if (run->stopped()) suspects->clear();
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::Quarantine(const Keys& suspects, CollectionRun* run) const {
  for (const std::string& suspect : suspects) {
    ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(suspect));
    const absl::Status status = QuarantineOne(key, run);
    if (!status.ok()) {
      metrics_->CountFailedObject();
      run->NoteFailure(status);
      // If the blob service answers, only this object is broken.
      RETURN_IF_ERROR(objects_->ReadOwner().status());
    }
    if (!run->KeepPace(1, 0)) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status OrphanQuarantine::QuarantineOne(const StorageKey& storage_key, CollectionRun* run) const {
  ASSIGN_OR_RETURN(const bool may, MayQuarantine(storage_key));
  if (!may) return absl::OkStatus();
  RETURN_IF_ERROR(objects_->Quarantine(storage_key));
  RETURN_IF_ERROR(Failpoint("manifest.collector.quarantined"));
  bool counts = false;
  RETURN_IF_ERROR(ChangeMark(storage_key, [&](DeleteIntentRecord* current) {
    counts = !current->has_quarantined_at();
    if (counts) *current->mutable_quarantined_at() = ToTimestamp(clock_->Now());
    return true;
  }));
  if (!counts) return absl::OkStatus();
  run->report().set_quarantined(run->report().quarantined() + 1);
  metrics_->CountQuarantined();
  return absl::OkStatus();
}

absl::StatusOr<bool> OrphanQuarantine::MayQuarantine(const StorageKey& storage_key) const {
  RETURN_IF_ERROR(pause_->RemoveEnded());
  bool may = false;
  RETURN_IF_ERROR(kv_->Transact(
      {DeletionPause::LockToAsk(), {.key = keys::DeleteIntent(storage_key), .mode = LockMode::kExclusive}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const bool paused, DeletionPause::InForce(transaction));
        // Another run may have unmarked or quarantined it since.
        ASSIGN_OR_RETURN(const std::optional<DeleteIntentRecord> mark,
                         kv::ReadRecord<DeleteIntentRecord>(transaction, keys::DeleteIntent(storage_key)));
        may = !paused && mark.has_value() && mark->suspect() && !mark->has_quarantined_at();
        // Again, so that the mark is durable before the bytes are moved: a commit that does not find it would take
        // them.
        if (may) kv::WriteRecord(transaction, keys::DeleteIntent(storage_key), *mark);
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  return may;
}

absl::Status OrphanQuarantine::ChangeMark(const StorageKey& storage_key, const Change& change) const {
  CatalogLocks locks;
  locks.Object(storage_key, LockMode::kExclusive);
  std::vector<kv::Lock> all = std::move(locks).Take();
  all.push_back(ObjectRemovalsLock());
  const std::string key = keys::DeleteIntent(storage_key);
  return kv_->Transact(
      std::move(all),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<DeleteIntentRecord> mark, kv::ReadRecord<DeleteIntentRecord>(transaction, key));
        if (!mark.has_value() || !mark->suspect()) return absl::OkStatus();
        if (change(&*mark)) {
          kv::WriteRecord(transaction, key, *mark);
          return absl::OkStatus();
        }
        transaction.Delete(key);
        return NoteObjectRemoval(transaction);
      },
      kv::Durability::kBuffered);
}

}  // namespace entrepot::manifest
