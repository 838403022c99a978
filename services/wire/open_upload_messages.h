#ifndef ENTREPOT_SERVICES_WIRE_OPEN_UPLOAD_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_OPEN_UPLOAD_MESSAGES_H_

#include "entrepot/types/v1/open_upload.pb.h"
#include "services/core/open_uploads.h"

// Conversions between the messages of proto/entrepot/types/v1/open_upload.proto and the values that the code uses.
namespace entrepot {

types::v1::UploadFilter ToMessage(const UploadFilter& filter);
UploadFilter FromMessage(const types::v1::UploadFilter& message);

types::v1::UploadList ToMessage(const OpenUploadPage& page);
OpenUploadPage FromMessage(const types::v1::UploadList& message);

types::v1::CancelledUploads ToMessage(const CancelledUploads& cancelled);
CancelledUploads FromMessage(const types::v1::CancelledUploads& message);

types::v1::UploadTotals ToMessage(const UploadTotals& totals);
UploadTotals FromMessage(const types::v1::UploadTotals& message);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_OPEN_UPLOAD_MESSAGES_H_
