#ifndef ENTREPOT_SERVICES_BLOB_S3_OPEN_S3_STORE_H_
#define ENTREPOT_SERVICES_BLOB_S3_OPEN_S3_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/registry.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob::s3 {

// All of it outlives the store.
struct S3StoreParts {
  kv::KvEngine* kv = nullptr;
  const Clock* clock = nullptr;
  // Of upload sessions: staged bytes are kept longer.
  absl::Duration session_lifetime = absl::Hours(24);
  std::shared_ptr<prometheus::Registry> registry;
  BlobMetrics* metrics = nullptr;
};

// The store of large objects in the configured bucket, with its connections and credentials. Checks that the bucket can
// be read and written, that it encrypts if that is configured, and that it belongs to the database (store_format.h).
// `config` has its defaults. kUnavailable if the server does not answer or refuses; kFailedPrecondition if the bucket
// belongs to another database or does not do what it is relied on for.
absl::StatusOr<std::unique_ptr<StagingObjectStore>> OpenS3Store(const config::v1::S3& config,
                                                                const S3StoreParts& parts);

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_OPEN_S3_STORE_H_
