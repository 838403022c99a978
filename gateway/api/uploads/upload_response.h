#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_RESPONSE_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_RESPONSE_H_

#include "gateway/http/message.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"

namespace entrepot::gateway::api {

// Adds where a session is and what it holds: Location, Docker-Upload-UUID, and `Range: 0-<last byte>`, which clients
// cannot read as anything less than `0-0`, so that is also what an empty session shows.
void AddUploadFields(const RepositoryName& repository, const Upload& upload, http::Response* response);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_RESPONSE_H_
