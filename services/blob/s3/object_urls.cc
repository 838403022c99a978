#include "services/blob/s3/object_urls.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/blob/s3/sigv4.h"
#include "services/core/blob_fields.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {

absl::StatusOr<std::string> ObjectUrls::UrlFor(const std::string& key, absl::string_view client_address) const {
  const std::optional<IpAddress> address = IpAddress::Parse(client_address);
  if (!address.has_value() || std::none_of(options_.clients.begin(), options_.clients.end(),
                                           [&](const IpNetwork& network) { return network.Contains(*address); })) {
    return std::string();
  }
  ASSIGN_OR_RETURN(const Credentials credentials, credentials_.Get());
  const absl::Time now = client_.ServerTime();
  if (credentials.expires_at < now + options_.lifetime) return std::string();
  const S3Address object = AddressOf(options_.target, key);
  const RequestToSign request{.method = "GET",
                              .host = object.host,
                              .path = object.path,
                              .query = {{"response-content-disposition", std::string(kBlobContentDisposition)},
                                        {"response-content-type", std::string(kBlobContentType)}},
                              .headers = {},
                              .payload_hash = ""};
  made_.Increment();
  return absl::StrCat(object.Url(), "?",
                      PresignQuery(request, credentials, {.region = options_.target.region}, now, options_.lifetime));
}

}  // namespace entrepot::blob::s3
