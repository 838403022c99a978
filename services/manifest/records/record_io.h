#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_IO_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_IO_H_

#include "services/kv/record_io.h"

// The service's values (storage/v1/manifest_records.proto) in and out of a KV.
namespace entrepot::manifest {

using kv::FromTimestamp;
using kv::ParseRecord;
using kv::ReadRecord;
using kv::ToTimestamp;
using kv::WriteRecord;

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_IO_H_
