# Fits random formulas with lme4: Rscript lme4_shapes.R FOLDER
# FOLDER/fits.csv has a fit a line (id, formula, reml, weighted), FOLDER/ID.csv its pupils.
# Three searches, the last from the best so far with a tight stop: lme4's defaults end 1e-8 too high.
library(lme4)
folder <- commandArgs(trailingOnly = TRUE)[1]
fits <- read.csv(file.path(folder, "fits.csv"), stringsAsFactors = FALSE)
found <- list()
for (row in seq_len(nrow(fits))) {
  case <- fits[row, ]
  pupils <- read.csv(file.path(folder, paste0(case$id, ".csv")), stringsAsFactors = FALSE)
  pupils$precision <- if (case$weighted == 1) pupils$w else rep(1, nrow(pupils))
  formula <- as.formula(case$formula)
  reml <- case$reml == 1
  search <- function(optimiser, options, start = NULL) {
    suppressMessages(suppressWarnings(lmer(formula, pupils, REML = reml, weights = precision,
      start = start, control = lmerControl(optimizer = optimiser, optCtrl = options,
        calc.derivs = FALSE, check.conv.singular = "ignore", check.rankX = "stop.deficient",
        check.nobs.vs.rankZ = "ignore"))))
  }
  height <- function(model) if (reml) REMLcrit(model) else deviance(model, REML = FALSE)
  started <- proc.time()[["elapsed"]]
  rows <- tryCatch({
    models <- list(
      search("nloptwrap", list(xtol_abs = 1e-10, ftol_abs = 1e-10, maxeval = 5000)),
      search("bobyqa", list(rhoend = 1e-9, maxfun = 20000)))
    best <- models[[which.min(sapply(models, height))]]
    last <- search("bobyqa", list(rhobeg = 0.02, rhoend = 1e-10, maxfun = 20000),
      getME(best, "theta"))
    if (height(last) < height(best)) best <- last
    variances <- as.data.frame(VarCorr(best))
    effects <- as.data.frame(ranef(best, condVar = TRUE))
    # lme4 tells two parts of one grouping apart by a number, and then writes a.b for a:b; it puts
    # parentheses into a/b/c
    group <- function(names)
      gsub("[()]", "", gsub("\\.([a-z])", ":\\1", gsub("\\.[0-9]+$", "", names)))
    blank <- function(values) ifelse(is.na(values), "", as.character(values))
    rbind(
      data.frame(kind = "criterion", key = "", value = as.numeric(height(best))),
      data.frame(kind = "estimate", key = names(fixef(best)), value = unname(fixef(best))),
      data.frame(kind = "se", key = names(fixef(best)), value = sqrt(diag(as.matrix(vcov(best))))),
      data.frame(kind = "variance",
        key = paste(group(variances$grp), blank(variances$var1), blank(variances$var2), sep = "|"),
        value = variances$vcov),
      data.frame(kind = "effect", value = effects$condval,
        key = paste(group(effects$grpvar), effects$grp, effects$term, sep = "|")),
      data.frame(kind = "cond_sd", value = effects$condsd,
        key = paste(group(effects$grpvar), effects$grp, effects$term, sep = "|")))
  }, error = function(e) data.frame(kind = "refused", key = conditionMessage(e), value = 0))
  found[[row]] <- cbind(id = case$id, rows)
}
table <- do.call(rbind, found)
table$value <- sprintf("%.17g", table$value)
write.csv(table, file.path(folder, "found.csv"), row.names = FALSE)
cat(sprintf("lme4 %s, R %s\n", packageVersion("lme4"), getRversion()))
