#ifndef ENTREPOT_SERVICES_BLOB_BLOB_THREADS_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_THREADS_H_

#include "services/core/storage_key.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob {

// The threads on which calls of the blob service wait. All outlive the calls; some may be the same.
struct BlobThreads {
  // For short calls: records, and large objects in files.
  runtime::Executor* requests = nullptr;
  // For calls that may need the store of large objects. If that is a server (S3) they are not those of `requests`: one
  // that hangs then leaves threads to the calls that need only records.
  runtime::Executor* large_objects = nullptr;
  // For whole objects that are hashed, and long lists.
  runtime::Executor* long_calls = nullptr;

  // For a read of that object.
  runtime::Executor* For(const StorageKey& key) const {
    return key.tier() == StorageTier::kFile ? large_objects : requests;
  }
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_THREADS_H_
