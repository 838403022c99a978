#include "gateway/api/content/referrers_handler.h"

#include <optional>
#include <string>
#include <utility>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gateway/api/request/counted_body.h"
#include "gateway/api/request/pagination.h"
#include "gateway/api/request/query.h"
#include "gateway/api/request/route_table.h"
#include "services/core/digest.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kIndexMediaType[] = "application/vnd.oci.image.index.v1+json";
constexpr char kFilter[] = "artifactType";
// Each entry contains the annotations of its manifest, so the manifest service bounds a page by bytes too. Fewer
// entries would hide signatures from clients that ignore the Link field.
constexpr PageSize kReferrersPerPage{.standard = 1000, .max = 1000};

boost::json::object Descriptor(const Referrer& referrer) {
  boost::json::object descriptor;
  descriptor["mediaType"] = referrer.media_type;
  descriptor["digest"] = referrer.digest.ToString();
  descriptor["size"] = referrer.size_bytes;
  if (!referrer.artifact_type.empty()) descriptor["artifactType"] = referrer.artifact_type;
  if (!referrer.annotations.empty()) {
    boost::json::object annotations;
    for (const auto& [key, value] : referrer.annotations) annotations[key] = value;
    descriptor["annotations"] = std::move(annotations);
  }
  return descriptor;
}

std::string Index(const ReferrerPage& page) {
  boost::json::array manifests;
  manifests.reserve(page.referrers.size());
  for (const Referrer& referrer : page.referrers) manifests.push_back(Descriptor(referrer));
  boost::json::object index;
  index["schemaVersion"] = 2;
  index["mediaType"] = kIndexMediaType;
  index["manifests"] = std::move(manifests);
  return boost::json::serialize(index);
}

}  // namespace

HandlerResult ReferrersHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Digest subject, Digest::Parse(request.argument));
  CO_ASSIGN_OR_RETURN(const Query query, Query::Parse(request.http.query));
  CO_ASSIGN_OR_RETURN(const PageRequest page, ParsePageRequest(query, kReferrersPerPage));
  CO_ASSIGN_OR_RETURN(const std::optional<std::string> filter, query.Single(kFilter, OciErrorCode::kManifestInvalid));
  const std::string artifact_type = filter.value_or("");
  CO_ASSIGN_OR_RETURN(const auto turn, co_await turns_->Take(request.http));
  const size_t limit = page.backend_limit();
  ReferrerPage found;
  if (request.is_cached) {
    CO_ASSIGN_OR_RETURN(found, co_await cached_->ListReferrers(request.call, request.repository, subject, artifact_type,
                                                               limit, page.last));
  } else {
    CO_ASSIGN_OR_RETURN(found, co_await manifests_->ListReferrers(request.call, request.repository, subject,
                                                                  artifact_type, limit, page.last));
  }
  if (page.limit == 0) found = ReferrerPage();

  http::Response response;
  response.fields.emplace_back("Content-Type", kIndexMediaType);
  if (!artifact_type.empty()) response.fields.emplace_back("OCI-Filters-Applied", kFilter);
  if (found.next.has_value()) {
    const std::string path = RoutePath(RouteFamily::kReferrers, request.repository.ToString(), subject.ToString());
    const bool filtered = !artifact_type.empty();
    response.fields.emplace_back(
        "Link", NextPageLink(path, page, found.next->ToString(), {filtered ? kFilter : "", artifact_type}));
  }
  CO_ASSIGN_OR_RETURN(response.body, CountedBody(request.http, Index(found)));
  co_return response;
}

}  // namespace entrepot::gateway::api
