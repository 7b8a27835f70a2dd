"""The storage `redis://`: rows, tokens and credentials that several exporters share.

The keys, each after the configured prefix:

    figures:SERVER:DATASET:APPID  hash, the rows by period       store.py
    refusal:SERVER:KEY            string, when to ask again      store.py
    rows:APPID                    hash, rows of before 1.0       store.py
    duty:DUTY                     string, who lists accounts     store.py
    mark                          string, lost with the data     store.py
    credential:NAME, known:NAME   strings, what must survive     credentials.py
"""
