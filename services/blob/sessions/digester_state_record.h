#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_DIGESTER_STATE_RECORD_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_DIGESTER_STATE_RECORD_H_

#include "absl/status/statusor.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/core/digester.h"

namespace entrepot::blob {

storage::v1::DigesterStateRecord ToRecord(const DigesterState& state);
// kDataLoss if the record does not contain the state of a digester.
absl::StatusOr<Digester> RestoreDigester(const storage::v1::DigesterStateRecord& record);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_DIGESTER_STATE_RECORD_H_
