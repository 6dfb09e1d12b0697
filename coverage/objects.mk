# SPDX-License-Identifier: Apache-2.0
## Measure line and branch coverage per folder against coverage/floor.txt
coverage: build/.setup
	@$(MAKE) --no-print-directory BUILD=cov coverage-run
coverage-run: $(UNIT_BINS) $(DEVICE_BINS) $(CLIENTS) all $(CHECK_EXTRA)
	@find $(B) -name '*.gcda' -delete
	@rm -rf build/vm/counts
	@SWPSP_BUILD=$(B) $(PYTHON) harness/run.py $(UNIT_BINS) $(DEVICE_BINS) \
	    $(SCRIPT_TESTS) $(CHECK_ASAN)
	@$(PYTHON) coverage/report.py $(B) coverage/floor.txt coverage/summary.txt build/vm/counts
.PHONY: coverage coverage-run
