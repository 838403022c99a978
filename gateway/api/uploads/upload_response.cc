#include "gateway/api/uploads/upload_response.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "gateway/api/request/locations.h"

namespace entrepot::gateway::api {

void AddUploadFields(const RepositoryName& repository, const Upload& upload, http::Response* response) {
  const uint64_t last = std::max<uint64_t>(upload.offset_bytes, 1) - 1;
  response->fields.emplace_back("Location", UploadLocation(repository, upload.id));
  response->fields.emplace_back("Range", absl::StrCat("0-", last));
  response->fields.emplace_back("Docker-Upload-UUID", upload.id.ToString());
}

}  // namespace entrepot::gateway::api
