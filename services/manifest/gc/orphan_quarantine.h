#ifndef ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_QUARANTINE_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_QUARANTINE_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/blob_storage.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"

namespace entrepot::manifest {

// Quarantines orphans: objects that no session, no record and no intent names (Collector::QuarantineOrphans). A run may
// be interrupted at any point: the next run finds the marks and continues.
class OrphanQuarantine {
 public:
  // Storage keys of some of the registry's objects, at most `kBatch`.
  using Keys = std::set<std::string>;
  static constexpr size_t kBatch = 200'000;
  // So many orphans may be quarantined in `age` whatever their share: a small registry gets rid of the few strays that
  // uploads leave behind if the blob service dies, and an operator can put so few objects back by hand.
  static constexpr uint64_t kAlwaysAllowed = 10;

  // All pointers must outlive the OrphanQuarantine.
  OrphanQuarantine(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects, DeletionPause* pause,
                   CollectorMetrics* metrics, absl::Duration age, uint64_t percent_max)
      : kv_(kv),
        clock_(clock),
        objects_(objects),
        pause_(pause),
        metrics_(metrics),
        age_(age),
        percent_max_(percent_max) {}

  // kFailedPrecondition, and nothing more is marked or quarantined, if there are more orphans than `percent_max`
  // allows, and `any_share` is false. The orphans that earlier runs have quarantined in the last `age` count too: if an
  // older copy of the records is put beside the objects, all objects that it lacks are old enough within `age`, but not
  // all in one run.
  absl::Status Run(bool any_share, CollectionRun* run) const;

  // The steps of Run(), in their order. ReadSuspects() and FindOrphans() return one batch, and are called again until
  // `position` is empty.

  // Returns the suspects of earlier runs that are not quarantined. Removes the marks of suspects that were quarantined
  // at least `age` ago, and adds the number of the other quarantined ones to `quarantined`.
  absl::StatusOr<Keys> ReadSuspects(std::string* position, uint64_t* quarantined, CollectionRun* run) const;
  // Returns old objects that no session, no record and no intent names. Sets `named` to the number of records that name
  // an object.
  absl::StatusOr<Keys> FindOrphans(std::string* position, uint64_t* named, CollectionRun* run) const;
  // Marks the suspects: no commit can use them from now on. Removes from `suspects` the objects that have an intent by
  // now.
  absl::Status Mark(Keys* suspects, CollectionRun* run) const;
  // Unmarks, and removes from `suspects`, the objects that a blob record names: a commit came before the mark.
  absl::Status UnmarkReferenced(Keys* suspects, CollectionRun* run) const;
  absl::Status Quarantine(const Keys& suspects, CollectionRun* run) const;

 private:
  // Whether this run may quarantine `found` objects, beside `named` ones that records name, after earlier runs have
  // taken `earlier` ones.
  absl::Status CheckShare(uint64_t earlier, uint64_t found, uint64_t named) const;
  absl::Status UnmarkAndQuarantine(Keys suspects, CollectionRun* run) const;
  // Calls `fn` with each storage key that a blob record names.
  absl::Status ForEachNamed(const std::function<absl::Status(const std::string&)>& fn, CollectionRun* run) const;
  // Removes from `suspects` the objects that have an intent.
  absl::Status SubtractIntents(Keys* suspects, CollectionRun* run) const;
  // Removes from `suspects` the objects that a sweep has deleted since they were listed from `position` on: its intent
  // is gone too.
  absl::Status SubtractSwept(std::string position, Keys* suspects, CollectionRun* run) const;
  // If the object is still a suspect, calls `change` on its mark and writes the mark, or removes it if `change` returns
  // false.
  using Change = std::function<bool(storage::v1::DeleteIntentRecord*)>;
  absl::Status ChangeMark(const StorageKey& storage_key, const Change& change) const;
  // Whether the object is still a suspect that is not quarantined, and no pause of deletions is in force.
  absl::StatusOr<bool> MayQuarantine(const StorageKey& storage_key) const;
  absl::Status QuarantineOne(const StorageKey& storage_key, CollectionRun* run) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  BlobStorage* const objects_;
  DeletionPause* const pause_;
  CollectorMetrics* const metrics_;
  const absl::Duration age_;
  const uint64_t percent_max_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_QUARANTINE_H_
