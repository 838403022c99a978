#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_

#include <memory>

#include "services/blob/blob_stack.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/cold_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/manifest/catalog/deletion_queue.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/testing/recording_maintenance.h"
#include "services/runtime/threads/bounded_executor.h"

namespace entrepot::gateway {

// For tests: the services' own classes over a KV in memory and files in a temporary directory.
class ServiceStack {
 public:
  // With a cold KV, as if nothing of it were in memory.
  explicit ServiceStack(bool cold = false);

  blob::BlobStack* blobs() { return blobs_.get(); }
  const std::string& directory() const { return directory_.path(); }
  manifest::RegistryCatalog* catalog() { return catalog_.get(); }
  manifest::RecordingMaintenance* maintenance() { return &maintenance_; }
  runtime::BoundedExecutor* deletions() { return deletions_.get(); }
  FakeClock* clock() { return &clock_; }
  kv::KvEngine* kv() { return &kv_; }
  // The KV of a cold stack.
  kv::ColdKvEngine* cold_kv() { return &cold_kv_; }
  blob::FaultySystemCalls* system_calls() { return &system_calls_; }

 private:
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  kv::ColdKvEngine cold_kv_{&kv_};
  blob::FaultySystemCalls system_calls_;
  FakeClock clock_;
  std::unique_ptr<blob::BlobStack> blobs_;
  std::unique_ptr<manifest::RegistryCatalog> catalog_;
  manifest::RecordingMaintenance maintenance_;
  const std::unique_ptr<runtime::BoundedExecutor> deletions_ = manifest::MakeDeletionQueue(/*jobs_max=*/16, nullptr);
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_
