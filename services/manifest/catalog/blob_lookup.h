#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_LOOKUP_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_LOOKUP_H_

#include "services/core/content.h"

namespace entrepot::manifest {

struct BlobLookup {
  Blob blob;
  // Less than half of the lease is left: it must be renewed before the blob is promised to a client.
  bool lease_due = false;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_LOOKUP_H_
