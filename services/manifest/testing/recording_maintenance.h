#ifndef ENTREPOT_SERVICES_MANIFEST_TESTING_RECORDING_MAINTENANCE_H_
#define ENTREPOT_SERVICES_MANIFEST_TESTING_RECORDING_MAINTENANCE_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/core/digest.h"
#include "services/core/room_request.h"
#include "services/core/storage_key.h"
#include "services/manifest/maintenance/maintenance.h"

namespace entrepot::manifest {

// Records the calls that it gets, and does nothing. For tests of callers of Maintenance. Thread-safe.
class RecordingMaintenance : public Maintenance {
 public:
  // All calls fail with `status` from now on, unless it is OK.
  void FailWith(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    failure_ = status;
  }

  v1::MaintainRequest last_request() const {
    absl::MutexLock lock(&mutex_);
    return last_request_;
  }

  std::vector<std::pair<Digest, StorageKey>> damages() const {
    absl::MutexLock lock(&mutex_);
    return damages_;
  }

  // Returns a job that has just been started, for each request.
  absl::StatusOr<v1::MaintainResponse> Maintain(const v1::MaintainRequest& request) override {
    absl::MutexLock lock(&mutex_);
    last_request_ = request;
    if (!failure_.ok()) return failure_;
    v1::MaintainResponse response;
    response.mutable_job()->set_id("1");
    response.mutable_job()->set_state(v1::Job::RUNNING);
    return response;
  }

  void ReportDamage(const Digest& digest, const StorageKey& storage_key, DamageReports::Done done) override {
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      damages_.emplace_back(digest, storage_key);
      status = failure_;
    }
    done(status);
  }

  // Answers with the upstream's name as the only evicted image.
  void MakeRoom(RoomRequest request, EvictionQueue::Done done) override {
    absl::Status status;
    types::v1::CacheEviction eviction;
    eviction.add_images()->set_repository(request.upstream);
    {
      absl::MutexLock lock(&mutex_);
      room_requests_.push_back(std::move(request));
      status = failure_;
    }
    if (status.ok()) {
      done(std::move(eviction));
    } else {
      done(status);
    }
  }

  std::vector<RoomRequest> room_requests() const {
    absl::MutexLock lock(&mutex_);
    return room_requests_;
  }

  void BeginDrain() override {}

 private:
  mutable absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  v1::MaintainRequest last_request_ ABSL_GUARDED_BY(mutex_);
  std::vector<RoomRequest> room_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Digest, StorageKey>> damages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_RECORDING_MAINTENANCE_H_
