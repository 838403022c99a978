#include "gateway/api/content/repository_list_handler.h"

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

constexpr PageSize kRepositoriesPerPage{.standard = 1000, .max = 10'000};

}  // namespace

HandlerResult RepositoryListHandler::Handle(http::Request& request, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const Query query, Query::Parse(request.query));
  CO_ASSIGN_OR_RETURN(const PageRequest page, ParsePageRequest(query, kRepositoriesPerPage));
  CO_ASSIGN_OR_RETURN(const std::vector<std::string> patterns, co_await Patterns(call));
  CO_ASSIGN_OR_RETURN(const auto turn, co_await turns_->Take(request));
  CO_ASSIGN_OR_RETURN(RepositoryPage found,
                      co_await manifests_->ListRepositories(call, page.backend_limit(), page.last, patterns));
  if (page.limit == 0) found = RepositoryPage();

  boost::json::object body;
  body["repositories"] = boost::json::array(found.repositories.begin(), found.repositories.end());
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  if (found.more && !found.repositories.empty()) {
    response.fields.emplace_back(
        "Link", NextPageLink(RoutePath(RouteFamily::kRepositoryList), page, found.repositories.back()));
  }
  CO_ASSIGN_OR_RETURN(response.body, CountedBody(request, boost::json::serialize(body)));
  co_return response;
}

boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> RepositoryListHandler::Patterns(
    const CallContext& call) const {
  if (auth_ == nullptr) co_return std::vector<std::string>{"**"};
  co_return co_await auth_->GetReadableRepositories(call);
}

}  // namespace entrepot::gateway::api
