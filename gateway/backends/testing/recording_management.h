#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_RECORDING_MANAGEMENT_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_RECORDING_MANAGEMENT_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/upstream/management/upstream_management.h"

namespace entrepot::gateway {

// Records the commands that it gets, and does nothing. Thread-safe.
class RecordingManagement : public upstream::UpstreamManagement {
 public:
  // All commands fail with `status` from now on, unless it is OK.
  void FailWith(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    failure_ = status;
  }

  upstream::v1::ManageUpstreamsRequest last_request() const {
    absl::MutexLock lock(&mutex_);
    return last_request_;
  }
  int requests() const {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  // Returns a job that has just been started, for each request.
  absl::StatusOr<upstream::v1::ManageUpstreamsResponse> Manage(
      const upstream::v1::ManageUpstreamsRequest& request) override {
    absl::MutexLock lock(&mutex_);
    last_request_ = request;
    ++requests_;
    if (!failure_.ok()) return failure_;
    upstream::v1::ManageUpstreamsResponse response;
    response.mutable_job()->set_id("1");
    response.mutable_job()->set_state(upstream::v1::UpstreamJob::RUNNING);
    return response;
  }

  void Stop() override {}

 private:
  mutable absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  upstream::v1::ManageUpstreamsRequest last_request_ ABSL_GUARDED_BY(mutex_);
  int requests_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_RECORDING_MANAGEMENT_H_
