#include "gateway/api/content/tag_list_handler.h"

#include <string>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gateway/api/request/counted_body.h"
#include "gateway/api/request/pagination.h"
#include "gateway/api/request/query.h"
#include "gateway/api/request/route_table.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// Most repositories fit into one page, for clients that ignore the Link field; distribution's registry has the same
// size. The manifest service returns at most CatalogListing::kEntriesMax entries
// (services/manifest/catalog/catalog_listing.h), whatever is set here.
constexpr PageSize kTagsPerPage{.standard = 1000, .max = 10'000};

}  // namespace

HandlerResult TagListHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Query query, Query::Parse(request.http.query));
  CO_ASSIGN_OR_RETURN(const PageRequest page, ParsePageRequest(query, kTagsPerPage));
  CO_ASSIGN_OR_RETURN(const auto turn, co_await turns_->Take(request.http));
  const size_t limit = page.backend_limit();
  TagPage tags;
  if (request.is_cached) {
    CO_ASSIGN_OR_RETURN(tags, co_await cached_->ListTags(request.call, request.repository, limit, page.last));
  } else {
    CO_ASSIGN_OR_RETURN(tags, co_await manifests_->ListTags(request.call, request.repository, limit, page.last));
  }
  if (page.limit == 0) tags = TagPage();

  const std::string& name = request.repository.ToString();
  boost::json::object body;
  body["name"] = name;
  body["tags"] = boost::json::array(tags.tags.begin(), tags.tags.end());
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  if (tags.more && !tags.tags.empty()) {
    response.fields.emplace_back("Link", NextPageLink(RoutePath(RouteFamily::kTagList, name), page, tags.tags.back()));
  }
  CO_ASSIGN_OR_RETURN(response.body, CountedBody(request.http, boost::json::serialize(body)));
  co_return response;
}

}  // namespace entrepot::gateway::api
