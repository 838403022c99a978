#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_

#include <memory>

#include "services/blob/blob_stack.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/testing/recording_maintenance.h"

namespace entrepot::gateway {

// For tests: the services' own classes over a KV in memory and files in a temporary directory.
class ServiceStack {
 public:
  ServiceStack();

  blob::BlobStack* blobs() { return blobs_.get(); }
  manifest::RegistryCatalog* catalog() { return catalog_.get(); }
  manifest::RecordingMaintenance* maintenance() { return &maintenance_; }
  FakeClock* clock() { return &clock_; }
  kv::KvEngine* kv() { return &kv_; }

 private:
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  std::unique_ptr<blob::BlobStack> blobs_;
  std::unique_ptr<manifest::RegistryCatalog> catalog_;
  manifest::RecordingMaintenance maintenance_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_SERVICE_STACK_H_
